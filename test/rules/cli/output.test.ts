// What the program prints: JSON as the API writes it, tables that nobody's text can break, spans that a person reads.

import { expect, it } from "vitest";
import { apiJson, apiJsonLine } from "../../../cli/api-json.ts";
import { relative, span } from "../../../cli/moments.ts";
import { widthOf } from "../../../cli/system-terminal.ts";
import { facts, table } from "../../../cli/table.ts";
import type { Terminal } from "../../../cli/terminal.ts";
import { duration, headers, seconds } from "../../../cli/values.ts";

const terminal = { color: false, width: Number.POSITIVE_INFINITY } as Terminal;
const NOON = Date.UTC(2030, 0, 1, 12);

it("writes the API's names, and the user's own as they are", () => {
  const job = {
    scheduledFor: new Date(NOON),
    lastError: null,
    payload: { userName: 1 },
    payloadText: '{"userName":12345678901234567890,"userName":1.0}',
    delivery: { type: "push", http: { url: "https://a.example", headers: { XOne: "1" } } },
    waitingOn: undefined,
    tags: [],
  };
  const line =
    '{"scheduled_for":"2030-01-01T12:00:00.000Z","last_error":null,"payload":{"userName":12345678901234567890,"userName":1.0},' +
    '"delivery":{"type":"push","http":{"url":"https://a.example","headers":{"XOne":"1"}}},"tags":[]}';
  expect(apiJsonLine(job)).toBe(line);
  expect(JSON.parse(apiJson([job]))).toEqual([JSON.parse(line)]);
  expect(apiJson({ result: { aB: 1 }, resultText: null, progress: null })).toBe(
    '{\n  "result": {"aB":1},\n  "progress": null\n}',
  );
});

it("aligns columns, colours none of them without a terminal, and lets no text act on it", () => {
  const rows = [
    ["1", { text: "completed", style: "green" as const }, "a"],
    ["22", "x", "evil \u001b[2J\nfake"],
  ];
  expect(table(terminal, ["ID", "STATUS", "NAME"], rows)).toBe(
    ["ID  STATUS     NAME", "1   completed  a", "22  x          evil \\u001b[2J\\nfake"].join("\n"),
  );
  expect(table({ ...terminal, width: 12 }, ["ID", "STATUS", "NAME"], rows).split("\n")).toEqual([
    "ID  STATUS",
    "1   complet…",
    "22  x",
  ]);
  const coloured = table({ ...terminal, color: true }, ["ID"], [[{ text: "1", style: "green" }]]);
  expect(coloured).toContain("\u001b[32m1\u001b[39m");
  expect(
    facts(terminal, [
      ["id", "1"],
      ["nothing", ""],
      ["status", "failed"],
    ]),
  ).toBe("id      1\nstatus  failed");
});

it.each([
  [999, "999 ms"],
  [1_000, "1 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [7_500_000, "2 h 5 min"],
  [86_400_000 * 3 + 1, "3 d"],
])("%i ms are %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

it("says how far a moment is away", () => {
  expect([NOON - 61_000, NOON - 999, NOON + 1_000].map((at) => relative(new Date(at), NOON))).toEqual([
    "1 min 1 s ago",
    "now",
    "in 1 s",
  ]);
});

it("reads spans and headers, and refuses what is neither by name", () => {
  expect(["90s", "15m", "15 min", "2h", "1d", "1w"].map(duration)).toEqual([
    { value: 90, unit: "second" },
    { value: 15, unit: "minute" },
    { value: 15, unit: "minute" },
    { value: 2, unit: "hour" },
    { value: 1, unit: "day" },
    { value: 1, unit: "week" },
  ]);
  expect(["30", "5m", "1d"].map(seconds)).toEqual([30, 300, 86_400]);
  for (const text of ["0s", "5y", "-1s", "1.5h", "", "h"]) expect(() => duration(text), text).toThrow(/such as 90s/);
  expect(headers(["X-One: a:b", "X-Two:c"])).toEqual({ "X-One": "a:b", "X-Two": "c" });
  expect(() => headers(["no colon"])).toThrow(/--header must be/);
});

it("cuts at the terminal's width, and nowhere where there is none or it is not known", () => {
  expect(widthOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(widthOf({ isTTY: true, columns: 0 })).toBe(Number.POSITIVE_INFINITY);
  expect(widthOf({ isTTY: false, columns: 80 })).toBe(Number.POSITIVE_INFINITY);
});
