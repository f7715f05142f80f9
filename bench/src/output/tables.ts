// The results as Markdown tables, for the terminal and for results/tables.md.

import type { Age } from "../parts/age.ts";
import type { Bill } from "../parts/bill.ts";
import type { CeilingsFound } from "../parts/ceilings.ts";
import type { CreateFigure } from "../parts/create.ts";
import type { Crowd } from "../parts/crowd.ts";
import type { Drain } from "../parts/drain.ts";
import type { FlowFigure } from "../parts/flow.ts";
import type { Idle } from "../parts/idle.ts";
import type { ListFigure } from "../parts/lists.ts";
import type { Memory, Stored } from "../parts/memory.ts";
import type { Punctuality } from "../parts/punctuality.ts";
import type { Sustained } from "../parts/sustained.ts";
import { BILLED, PRICED_ON } from "../prices.ts";
import { ceilingTables } from "./ceilings.ts";
import { shown, table } from "./table.ts";

export interface Results {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly notes: string[];
  readonly systems: Record<string, string>;
  readonly seconds: Record<string, number>;
  create?: CreateFigure[];
  createMany?: CreateFigure[];
  punctuality?: Punctuality[];
  crowd?: Crowd;
  age?: Age;
  flow?: FlowFigure[];
  sustained?: Sustained[];
  bill?: Bill[];
  ceilings?: CeilingsFound;
  drain?: Drain[];
  idle?: Idle[];
  memory?: Memory;
  stored?: Stored;
  flatness?: {
    create: CreateFigure[];
    punctuality: Punctuality[];
    lists: ListFigure[];
    insight: ListFigure[];
    waiting: number;
    ended: number;
  };
}

export const FLOOR = "floor: one row, one alarm";

export function tablesOf(results: Results): string {
  const { create, createMany, punctuality, crowd, age, flow, sustained, bill, drain, idle, memory, stored, flatness } =
    results;
  const { ceilings } = results;
  return [
    ...(create ? ["## Create", createTable(create)] : []),
    ...(createMany ? ["## Create in batches of 100, due tomorrow", createTable(createMany)] : []),
    ...(punctuality ? ["## Punctuality: lateness in ms", punctualityTable(punctuality)] : []),
    ...(crowd ? ["## The list of another account during a burst", crowdTable(crowd)] : []),
    ...(age ? ["## How old the list is: from a job's end to its row, in ms", ageTable(age)] : []),
    ...(flow ? ["## One flow: attempts started a second", flowTable(flow)] : []),
    ...(sustained ? ["## Sustained: made, delivered, ended and listed", sustainedTable(sustained)] : []),
    ...(drain ? ["## Drain: due pull jobs, four workers", drainTable(drain)] : []),
    ...(bill ? [`## The bill of one job (prices of ${PRICED_ON}, beyond the free allowances)`, billTable(bill)] : []),
    ...(bill ? bill.map(({ name, notes }) => [`**${name}**`, noteTable(notes)].join("\n\n")) : []),
    ...(idle ? ["## Idle", idleTable(idle)] : []),
    ...(memory ? [`## Memory of a service with ${memory.perSecond} jobs a second`, memoryTable(memory)] : []),
    ...(stored ? ["## What a stored job takes of the database's file", storedTable(stored)] : []),
    ...(flatness
      ? [
          `## Flatness: empty beside ${shown(flatness.waiting)} waiting and ${shown(flatness.ended)} ended jobs`,
          createTable(flatness.create),
          punctualityTable(flatness.punctuality),
          table(
            ["list of an account with all the ended", "rows", "ms"],
            flatness.lists.map(({ query, rows, p50 }) => [`\`${query}\``, rows, p50]),
          ),
          table(
            ["the same account's overview and scrape", "lines", "ms"],
            flatness.insight.map(({ query, rows, p50 }) => [`\`${query}\``, rows, p50]),
          ),
        ]
      : []),
    ...(ceilings ? ceilingTables(ceilings) : []),
    ...(results.notes.length > 0 ? ["## Notes", results.notes.map((note) => `- ${note}`).join("\n")] : []),
    "## What was measured",
    table(["system", ""], Object.entries(results.systems)),
    table(["machine", ""], Object.entries(results.machine)),
    "",
  ].join("\n\n");
}

function createTable(figures: readonly CreateFigure[]): string {
  const floors = figures.filter(({ system }) => system === FLOOR);
  const rows = figures.map(({ system, connections, perSecond, p50, p99, runs }) => {
    const floor = floors.find((one) => one.connections === connections);
    const range = runs.map((run) => run.perSecond);
    return [
      system,
      connections,
      perSecond,
      floor ? (perSecond / floor.perSecond).toFixed(2) : "",
      p50,
      p99,
      `${shown(Math.min(...range))}–${shown(Math.max(...range))}`,
    ];
  });
  return table(["system", "connections", "jobs/s", "× floor", "p50 ms", "p99 ms", "range of jobs/s"], rows);
}

function punctualityTable(figures: readonly Punctuality[]): string {
  const rows = figures.map(({ system, shape, p50, p95, p99, max, runs }) => {
    const sum = (of: (run: (typeof runs)[number]) => number) => runs.reduce((total, run) => total + of(run), 0);
    const faults = [sum((run) => run.missing), sum((run) => run.duplicates), sum((run) => run.early)].join(" · ");
    return [system, shape, sum((run) => run.jobs), p50, p95, p99, max, faults];
  });
  return table(["system", "shape", "jobs", "p50", "p95", "p99", "max", "missing · twice · early"], rows);
}

const crowdTable = ({ jobs, lists, p50, p99, max }: Crowd): string =>
  table(
    ["jobs due in one instant", "lists asked for meanwhile", "p50 ms", "p99 ms", "max ms"],
    [[jobs, lists, p50, p99, max]],
  );

const flowTable = (figures: readonly FlowFigure[]): string =>
  table(
    ["jobs that are due", "jobs", "starts/s"],
    figures.map(({ concurrency, jobs, startsPerSecond }) => [
      concurrency === null ? "without a flow" : `in a flow of ${concurrency}`,
      jobs,
      startsPerSecond,
    ]),
  );

const ageTable = ({ jobs, perSecond, listsPerJob, p50, p99, max }: Age): string =>
  table(
    ["jobs", "jobs/s", "lists asked for per job", "p50", "p99", "max"],
    [[jobs, perSecond, listsPerJob, p50, p99, max]],
  );

const sustainedTable = (figures: readonly Sustained[]): string =>
  table(
    ["system", "jobs/s", "late p50 ms", "late p99 ms", "listed after ms", "rates tried: jobs/s (late p99 ms)"],
    figures.map(({ system, perSecond, late, listedAfterMs, steps }) => [
      system,
      perSecond === null ? "none" : Math.round(perSecond),
      late?.p50 ?? "",
      late?.p99 ?? "",
      listedAfterMs ?? "",
      steps.map((step) => `${Math.round(step.madePerSecond)} (${shown(step.late.p99)})`).join(", "),
    ]),
  );

const drainTable = (figures: readonly Drain[]): string =>
  table(
    ["system", "state in", "jobs", "jobs/s", "claims/s"],
    figures.map(({ system, medium, jobs, jobsPerSecond, claimsPerSecond }) => [
      system,
      medium,
      jobs,
      jobsPerSecond,
      claimsPerSecond ?? "",
    ]),
  );

const memoryTable = ({ samples }: Memory): string =>
  table(
    ["second", "workerd: own MB", "mapped files MB", "node: own MB", "mapped files MB", "objects' files"],
    samples.map(({ second, workerd, node, objectFiles }) => [
      second,
      Math.round(workerd.own),
      Math.round(workerd.mapped),
      Math.round(node.own),
      Math.round(node.mapped),
      objectFiles,
    ]),
  );

const storedTable = ({ jobs, bytesPerJob, payloadBytes, headerBytes }: Stored): string =>
  table(
    ["jobs", "payload, bytes", "headers of the answer, bytes", "bytes a job"],
    [[jobs, payloadBytes, headerBytes, Math.round(bytesPerJob)]],
  );

/** The last column adds what deleting it after its retention costs. */
const billTable = (bills: readonly Bill[]): string =>
  table(
    ["", ...BILLED.map((what) => what.replaceAll("_", " ")), "$ per million", "D1 rows to delete it", "$ with that"],
    bills.map(({ name, used, dollarsPerMillion, retention }) => [
      name,
      ...BILLED.map((what) => used[what]),
      dollarsPerMillion,
      retention?.used.d1_rows_written ?? "",
      dollarsPerMillion + (retention?.dollarsPerMillion ?? 0),
    ]),
  );

const noteTable = (notes: Readonly<Record<string, number>>): string =>
  table(
    ["what", "which", "each"],
    Object.entries(notes)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([note, count]) => {
        const [what = "", which = ""] = note.split(": ", 2);
        return [what.replaceAll("_", " "), note.slice(note.indexOf(": ") + 2) || which, count];
      }),
  );

const idleTable = (figures: readonly Idle[]): string =>
  table(
    ["system", "jobs waiting", "requests/h", "CPU s/h", "MB resident"],
    figures.map(({ system, waiting, requestsPerHour, cpuSecondsPerHour, residentMegabytes }) => [
      system,
      waiting,
      requestsPerHour ?? "",
      cpuSecondsPerHour,
      residentMegabytes,
    ]),
  );
