// The alerts and queries of the guide name metrics that a scrape shows, and the rules are well-formed.

import { readFileSync } from "node:fs";
import { parseYaml } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { put, viewOfFlow } from "../../src/domain/flow.ts";
import { textOf } from "../../src/routes/exposition.ts";
import { coverageOf, databaseFamilies, familiesOf } from "../../src/routes/metric-families.ts";
import { NOON } from "./a-job.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

const { groups } = parseYaml(readFileSync("docs/alerts.yml", "utf8")) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const guide = readFileSync("docs/dashboards-and-alerts.md", "utf8");

const handler = { handler: "h", waiting: 1, oldestDueAt: NOON, lastPollAt: NOON, workers: [] };
const flow = viewOfFlow(
  put(undefined, { concurrency: 1, rate: null, breaker: null, paused: true }, { accountId: "acct", key: "mail" }, NOON),
  { waiting: 7, running: 0, oldestWaitingSince: NOON },
);
const scrape = textOf([
  ...familiesOf(
    [
      {
        ...{ labels: {}, counted: undefined, overdue: undefined, handlers: [handler] },
        ...{ pausedFlows: 1, heldFlows: [{ key: "mail", view: flow }] },
      },
    ],
    NOON,
  ),
  ...coverageOf(0, 0, true),
  ...databaseFamilies([{ name: "DB", weight: { bytes: 1, writeMs: 1 } }]),
]);
/** Every name that has a sample. */
const shown = new Set([...scrape.matchAll(/^(\w+)[{ ]/gm)].map(([, name]) => name));

const named = (text: string): string[] => text.match(/\bchronos_\w+/g) ?? [];

describe.each(rules)("$alert", ({ alert, expr, for: duration, labels, annotations }) => {
  it("rests on metrics that a scrape shows", () => {
    expect(named(expr).filter((name) => !shown.has(name))).toEqual([]);
    expect(named(expr).length > 0 || /\bup\b/.test(expr)).toBe(true);
  });

  it("is whole", () => {
    expect(alert).toMatch(/^Chronos[A-Z]\w+$/);
    expect(duration).toMatch(/^\d+m$/);
    expect(["page", "ticket"]).toContain(labels.severity);
    expect(annotations.summary).not.toBe("");
    const depth = [...expr].reduce((open, one) => open + (one === "(" ? 1 : one === ")" ? -1 : 0), 0);
    expect(depth, "parentheses").toBe(0);
  });
});

it("the rules are those that the guide promises", () => {
  expect(rules.map(({ alert }) => alert)).toEqual([
    "ChronosDown",
    "ChronosLate",
    "ChronosOverdue",
    "ChronosJobsFail",
    "ChronosRetriesPileUp",
    "ChronosNoWorker",
    "ChronosWorkersBehind",
    "ChronosFlowPaused",
    "ChronosFlowLineGrows",
    "ChronosDatabaseDown",
    "ChronosDatabaseFills",
    "ChronosDatabaseSlow",
  ]);
});

it("the guide names every metric, and no other", () => {
  const families = [...scrape.matchAll(/^# TYPE (\w+)/gm)].map(([, name = ""]) => name);
  const told = new Set(named(guide));
  expect(families.filter((name) => !told.has(name))).toEqual([]);
  expect([...told].filter((name) => !shown.has(name) && !families.includes(name) && name !== "chronos_jobs")).toEqual(
    [],
  );
});
