// The results as SVG, drawn by Vega-Lite without a browser.

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { PRICES } from "../prices.ts";
import { ceilingPlot } from "./ceilings.ts";
import type { Results } from "./tables.ts";

const WIDTH = 460;
const config = { background: "white", font: "sans-serif", axis: { labelLimit: 260 } } as const;
const system = { field: "system", type: "nominal", sort: null, title: null } as const;

/** File name and content of each plot there are figures for. */
export async function plotsOf({ create, punctuality, bill, ceilings }: Results): Promise<[string, string][]> {
  const specs: [string, TopLevelSpec][] = [];
  if (create) specs.push(["create.svg", createPlot(create)]);
  if (punctuality) specs.push(["lateness.svg", latenessPlot(punctuality)]);
  if (bill) specs.push(["bill.svg", billPlot(bill)]);
  if (ceilings) specs.push(["ceilings.svg", ceilingPlot(ceilings)]);
  return Promise.all(specs.map(async ([name, spec]) => [name, await draw(spec)] as [string, string]));
}

const draw = (spec: TopLevelSpec): Promise<string> => new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();

function createPlot(figures: NonNullable<Results["create"]>): TopLevelSpec {
  const values = figures.map(({ system: name, connections, perSecond }) => ({
    system: name,
    connections: `${connections} connection${connections === 1 ? "" : "s"}`,
    perSecond,
  }));
  return {
    config,
    title: "Create: jobs per second",
    width: WIDTH,
    data: { values },
    mark: { type: "point", filled: true, size: 90 }, // a bar has no length on a logarithmic scale
    encoding: {
      y: system,
      x: { field: "perSecond", type: "quantitative", scale: { type: "log" }, title: "jobs/s (logarithmic)" },
      color: { field: "connections", title: null },
    },
  };
}

function latenessPlot(figures: NonNullable<Results["punctuality"]>): TopLevelSpec {
  const values = figures.flatMap(({ system: name, shape, p50, p99 }) => [
    { system: name, shape, percentile: "p50", ms: Math.max(1, p50) },
    { system: name, shape, percentile: "p99", ms: Math.max(1, p99) },
  ]);
  return {
    config,
    title: "Lateness: 20 jobs a second (spread), and a crowd in one instant (burst; pull: a fifth of it)",
    data: { values },
    facet: { field: "shape", title: null, sort: ["spread", "burst"] },
    spec: {
      width: WIDTH / 2,
      layer: [
        { mark: { type: "line", color: "#bbb" }, encoding: { y: system, detail: { field: "system" }, x: lateness } },
        {
          mark: { type: "point", filled: true, size: 70 },
          encoding: { y: system, x: lateness, color: { field: "percentile", title: null } },
        },
      ],
    },
  };
}

const lateness = { field: "ms", type: "quantitative", scale: { type: "log" }, title: "ms late (logarithmic)" } as const;

function billPlot(bills: NonNullable<Results["bill"]>): TopLevelSpec {
  const values = bills
    .filter(({ retention }) => retention !== null)
    .flatMap(({ name, used, retention }) => [
      ...Object.entries(PRICES).map(([what, price]) => ({
        job: name,
        what: what.replaceAll("_", " ").replace("object ms", "object GB-s"),
        dollars: used[what as keyof typeof PRICES] * price * 1_000_000,
      })),
      { job: name, what: "deletion", dollars: retention?.dollarsPerMillion ?? 0 },
    ]);
  return {
    config,
    title: "What a million cost, beyond the free allowances",
    width: WIDTH,
    data: { values },
    mark: { type: "bar" },
    encoding: {
      y: { field: "job", type: "nominal", sort: null, title: null },
      x: { field: "dollars", type: "quantitative", aggregate: "sum", title: "dollars" },
      color: { field: "what", title: null },
    },
  };
}
