// The ceilings as tables and as a plot.

import type { TopLevelSpec } from "vega-lite";
import { CLOUDFLARE, sourceOf, UNKNOWN } from "../../../test/world/ceilings/parameters.ts";
import { PATIENCE_MS } from "../../../test/world/ceilings/sizes.ts";
import type { CeilingsFound } from "../parts/ceilings.ts";
import { shown, table } from "./table.ts";

type Cell = CeilingsFound["paces"][number];

const NAMES = {
  database: "database",
  projector: "projector",
  pullQueue: "PullQueue",
  flow: "flow",
  queue: "queue",
} as const;

export function ceilingTables(found: CeilingsFound): string[] {
  const { ceilings, paces, bursts, oneObject, beside, machine } = found;
  return [
    "## The ceilings on a simulated Cloudflare",
    `Seed ${found.seed}. Sustained: at most 1 % refused, p99 of lateness below 5 s, no station falls behind by more than 3 % of the time.`,
    table(
      [
        "jobs",
        "databases",
        "a write, ms",
        "sustained, jobs/s",
        "not at",
        "first to saturate",
        "busy",
        "late p50, p99 ms",
        "create p50, p99 ms",
      ],
      ceilings.map(({ writeMs, perSecond, failsAt, at }) => [
        shapeOf(at),
        at.databases,
        writeMs,
        perSecond,
        failsAt ?? "",
        NAMES[at.busiest.station],
        share(at.busiest.utilisation),
        twoOf(at.lateMs),
        twoOf(at.createMs),
      ]),
    ),
    "### Given paces",
    cellTable("jobs/s", paces, ({ perSecond }) => perSecond ?? 0),
    "### Due in one instant",
    cellTable("jobs", bursts, ({ jobs }) => jobs),
    "### One object with more work than it can do",
    table(
      ["object", "jobs", "starts/s"],
      oneObject.map(({ what, concurrency, jobs, startsPerSecond }) => [
        what === "flow" ? `a flow of ${shown(concurrency ?? 0)}` : "a PullQueue, 40 workers that take 25 at once",
        jobs,
        startsPerSecond,
      ]),
    ),
    "### How far off the model is: its figures replaced by this machine's, beside the embedded service",
    table(
      ["", "unit", "model", "embedded service", "model ÷ service"],
      beside.map(({ what, unit, model, embedded }) => [what, unit, model, embedded, (model / embedded).toFixed(2)]),
    ),
    "What the model was given of this machine:",
    table(["", "ms"], Object.entries(machine)),
    "### What the simulated Cloudflare takes and allows",
    table(
      ["", "", "unit", "source"],
      Object.values(CLOUDFLARE).map(({ what, value, unit, source }) => [what, value, unit, sourceOf(source)]),
    ),
    UNKNOWN,
  ];
}

const cellTable = (head: string, cells: readonly Cell[], of: (cell: Cell) => number): string =>
  table(
    [
      "delivery",
      "databases",
      head,
      "made/s",
      "refused",
      "create p50, p99 ms",
      "late p50, p99, max ms",
      "listed after, s",
      "database",
      "projector",
      "PullQueue",
      "queue",
      "sustained",
    ],
    cells.map((cell) => [
      cell.delivery,
      cell.databases,
      of(cell),
      Math.round(cell.createdPerSecond),
      share(cell.refusedShare),
      twoOf(cell.createMs),
      `${twoOf(cell.lateMs)}, ${shown(Math.round(cell.lateMs.max))}`,
      cell.listedAfterMs === null ? `not within ${PATIENCE_MS / 1_000}` : cell.listedAfterMs / 1_000,
      share(cell.utilisation.database),
      share(cell.utilisation.projector),
      share(cell.utilisation.pullQueue),
      share(cell.utilisation.queue),
      cell.isSustained ? "yes" : "no",
    ]),
  );

const shapeOf = ({ delivery, making, accounts }: Pick<Cell, "delivery" | "making" | "accounts">): string =>
  `${delivery}, made ${making === "singly" ? "one by one" : "100 in a request"}${accounts === 1 ? ", one handler" : ""}`;

const share = (of: number): string => `${Math.round(100 * of)} %`;

const twoOf = ({ p50, p99 }: Cell["lateMs"]): string => `${shown(Math.round(p50))}, ${shown(Math.round(p99))}`;

export function ceilingPlot({ ceilings }: CeilingsFound): TopLevelSpec {
  const values = ceilings.map(({ writeMs, perSecond, at }) => ({
    shape: `${shapeOf(at)}${writeMs === CLOUDFLARE.d1WriteMs.value ? "" : `, a write takes ${writeMs} ms`}`,
    databases: `${at.databases} database${at.databases === 1 ? "" : "s"}`,
    perSecond,
    station: NAMES[at.busiest.station],
  }));
  return {
    config: { background: "white", font: "sans-serif", axis: { labelLimit: 320 } },
    title: "Ceilings on a simulated Cloudflare: jobs per second, sustained",
    width: 460,
    data: { values },
    mark: { type: "point", filled: true, size: 90 },
    encoding: {
      y: { field: "shape", type: "nominal", sort: null, title: null },
      x: { field: "perSecond", type: "quantitative", scale: { type: "log" }, title: "jobs/s (logarithmic)" },
      color: { field: "station", title: "saturates first" },
      shape: { field: "databases", title: null },
    },
  };
}
