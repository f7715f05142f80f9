// The table of docs/measured.md: one line for each question, one column for each system.

import { batchesOf, FLOOR_OF_BATCHES } from "../parts/create.ts";
import { BATCH, DRAIN_FLOOR } from "../parts/drain.ts";
import type { Results } from "./tables.ts";

const COLUMNS = [
  "Chronos",
  "floor: one row, one alarm",
  "BullMQ",
  "BullMQ, fsync always",
  "pg-boss",
  "Graphile Worker",
] as const;

type Column = (typeof COLUMNS)[number];

const HEADS: Readonly<Record<Column, string>> = {
  Chronos: "Chronos",
  "floor: one row, one alarm": "its floor",
  BullMQ: "BullMQ (memory)",
  "BullMQ, fsync always": "BullMQ (synced)",
  "pg-boss": "pg-boss",
  "Graphile Worker": "Graphile Worker",
};

/** Those that take a backlog in batches of a size we set. */
const DRAINED: Readonly<Partial<Record<Column, string>>> = {
  Chronos: `Chronos, batches of ${BATCH}`,
  "floor: one row, one alarm": DRAIN_FLOOR,
};

/** What stands for a column; undefined where there is no such figure. */
type Figure = (column: Column) => string | undefined;

/** Only of results that have every part. */
export function summaryOf(results: Results): string | undefined {
  const { create, createMany, punctuality, sustained, drain, idle } = results;
  if (!create || !createMany || !punctuality || !sustained || !drain || !idle) return undefined;
  const created = (suffix: string): Figure => {
    return (column) => {
      const own = create.find((one) => one.connections === 1 && one.system === nameOf(column, suffix));
      return own && ms(own.p50);
    };
  };
  const createdMany: Figure = (column) => {
    const own = createMany.filter((one) => one.connections === 1);
    const name = column === "floor: one row, one alarm" ? FLOOR_OF_BATCHES : column;
    return whole(own, batchesOf(name), (one) => one.perSecond);
  };
  const late = (shape: "spread" | "burst"): Figure => {
    return (column) => {
      const own = punctuality.find((one) => one.system === column && one.shape === shape);
      return own && `${ms(own.p50)}, ${ms(own.p99)}`;
    };
  };
  const drained = drain.filter(({ medium }) => medium === "disk");
  const crowd = punctuality.find(({ shape }) => shape === "burst")?.runs[0]?.jobs.toLocaleString("en");
  const lines: [string, Figure][] = [
    ["create a job due tomorrow: p50, ms", created("")],
    ["create a job due in four minutes: p50, ms", created(", due in four minutes")],
    ["create in batches of 100, one connection: jobs/s", createdMany],
    ["lateness at 20 jobs a second: p50, p99, ms", late("spread")],
    [`lateness of ${crowd} due in one instant: p50, p99, ms`, late("burst")],
    [
      "sustained, at most one in a hundred a second late: jobs/s",
      (column) => whole(sustained, column, (one) => one.perSecond),
    ],
    ["a backlog of pull jobs, four workers: jobs/s", (column) => whole(drained, column, (one) => one.jobsPerSecond)],
    [
      `the same in batches of ${BATCH}: jobs/s`,
      (column) => whole(drained, DRAINED[column] ?? "", (one) => one.jobsPerSecond),
    ],
    [
      `CPU while ${idle[0]?.waiting.toLocaleString("en")} (peers: ${idle[1]?.waiting.toLocaleString("en")}) jobs wait: s/h`,
      (column) => whole(idle, column === "Chronos" ? "Chronos, filled" : column, (one) => one.cpuSecondsPerHour),
    ],
  ];
  return [
    `| | ${COLUMNS.map((column) => HEADS[column]).join(" | ")} |`,
    `|---|${COLUMNS.map(() => "---:|").join("")}`,
    ...lines.map(([what, figure]) => `| ${what} | ${COLUMNS.map((column) => figure(column) ?? "").join(" | ")} |`),
    "",
  ].join("\n");
}

/** A peer and a floor do the same whenever a job is due. */
const nameOf = (column: Column, suffix: string): string => (column === "Chronos" ? column + suffix : column);

const ms = (value: number): string => Number(value.toPrecision(2)).toLocaleString("en");

function whole<T extends { readonly system: string }>(
  figures: readonly T[],
  system: string,
  of: (one: T) => number | null,
): string | undefined {
  const own = figures.find((one) => one.system === system);
  const value = own && of(own);
  return value == null ? undefined : Math.round(value).toLocaleString("en");
}
