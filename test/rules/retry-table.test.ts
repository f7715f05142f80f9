// The guide's table of how long retries last is what the rule gives, and its examples are the backoffs of that table.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { type Backoff, retryDelayMs } from "../../src/domain/retry-policy.ts";
import { DAY, HOUR, MINUTE, SECOND } from "./a-job.ts";

const RETRIES = [0, 1, 3, 5, 8, 10, 15, 20, 50];
const defaults = { maxSeconds: 3_600, jitter: true } as const;

/** The table's columns: their heading, the backoff as a request says it, and as we keep it. */
const COLUMNS: [heading: string, written: object | null, backoff: Backoff | null][] = [
  ["default", null, null],
  ["fixed, 60 s", { type: "fixed", initial: 60 }, { type: "fixed", initialSeconds: 60, ...defaults }],
  [
    "exponential, 30 s to 6 h",
    { type: "exponential", initial: 30, max: 21_600 },
    { type: "exponential", initialSeconds: 30, ...defaults, maxSeconds: 21_600 },
  ],
  [
    "list: 1 min, 5 min, 30 min, 2 h",
    { type: "list", delays: [60, 300, 1_800, 7_200] },
    { type: "list", delaysSeconds: [60, 300, 1_800, 7_200] },
  ],
];

/** How long a number of retries lasts with this chance each time. At 1, which never comes, it is the least upper bound. */
const spanMs = (backoff: Backoff | null, retries: number, chance: 0 | 1): number =>
  Array.from({ length: retries }, (_, i) => retryDelayMs(backoff, i + 1, chance, null)).reduce((a, b) => a + b, 0);

function row(retries: number): string {
  const cells = COLUMNS.map(([, , backoff]) => {
    const [least, most] = [shown(spanMs(backoff, retries, 0)), shown(spanMs(backoff, retries, 1))];
    return least === most ? least : `${least} – ${most}`;
  });
  return `| ${[retries, ...cells].join(" | ")} |`;
}

const UNITS = [
  ["d", DAY],
  ["h", HOUR],
  ["min", MINUTE],
  ["s", SECOND],
] as const;

/** A duration in its two largest units, rounded down: `4 h 33 min`. */
function shown(ms: number): string {
  const counts = UNITS.map(([name, unit], i) => {
    const larger = UNITS[i - 1]?.[1] ?? Number.POSITIVE_INFINITY;
    return { name, count: Math.floor((ms % larger) / unit) };
  });
  const largest = counts.findIndex(({ count }) => count > 0);
  const parts = counts.slice(largest, largest + 2).filter(({ count }) => count > 0);
  return parts.map(({ name, count }) => `${count} ${name}`).join(" ") || "0 s";
}

describe("the table of how long retries last", () => {
  const guide = readFileSync(join(PROJECT, "docs/retries-and-errors.md"), "utf8");

  it("is what the rule gives", () => {
    const heading = `| \`max_retries\` | ${COLUMNS.map(([name]) => name).join(" | ")} |`;
    const ruler = `|${"---|".repeat(COLUMNS.length + 1)}`;
    expect(guide).toContain([heading, ruler, ...RETRIES.map(row)].join("\n"));
  });

  it("has a column for each example", () => {
    const examples = [...guide.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = ""]) => JSON.parse(text).backoff);
    expect(examples).toEqual(COLUMNS.flatMap(([, written]) => written ?? []));
  });

  it("agrees with the sentence about the default", () => {
    expect([spanMs(null, 3, 0), spanMs(null, 3, 1)]).toEqual([7 * SECOND, 14 * SECOND]);
    expect(guide).toContain("The default three retries are over 7 to 14 seconds after the first attempt failed.");
  });

  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [SECOND, "1 s"],
    [MINUTE - 1, "59 s"],
    [MINUTE, "1 min"],
    [MINUTE + SECOND, "1 min 1 s"],
    [HOUR + 59 * SECOND, "1 h"],
    [HOUR - SECOND, "59 min 59 s"],
    [DAY - 1, "23 h 59 min"],
    [DAY + HOUR + MINUTE, "1 d 1 h"],
  ])("shows %i ms as %s", (ms, text) => {
    expect(shown(ms)).toBe(text);
  });
});
