// The log as a person reads it in a terminal: what came from outside is shown there, and never acts.

import { expect, it } from "vitest";
import { readableLine } from "../../local/log-lines.ts";
import { printable } from "../../local/printable.ts";

const AT = Date.UTC(2030, 0, 1, 12);
const read = (line: string, color = false) => readableLine(line, { at: AT, color, raw: false });

/** All of C0, DEL and C1, line separators, and what turns the direction of text. */
const ACTING = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  ...[0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
].map((code) => String.fromCharCode(code));

it("each acting character is shown as an escape", () => {
  for (const character of ACTING) expect(printable(`a${character}b`)).toMatch(/^a\\(?:[nrt]|u[0-9a-f]{4})b$/);
  expect(printable("\x1b[2J\n\u009b\u202e")).toBe("\\u001b[2J\\n\\u009b\\u202e");
});

it("what people write is left as it is", () => {
  for (const text of ["größer", "日本語", "שלום", "👩‍👩‍👧 \\n", "a b"]) expect(printable(text)).toBe(text);
});

it.each(["request", "execution", "sweep"])("no text of a line acts: %s", (event) => {
  const bad = ACTING.join("");
  const fields = {
    method: bad,
    path: bad,
    code: bad,
    outcome: bad,
    error_code: bad,
    job_id: bad,
    host: bad,
    reason: bad,
    other: [bad],
    [bad]: bad,
  };
  const line = read(JSON.stringify({ level: "warn", event, status: 404, attempt: bad, ...fields })) ?? "";
  expect(ACTING.filter((character) => line.includes(character))).toEqual([]);
  expect(read(JSON.stringify({ level: "warn", event, path: "/x" }), true)).toContain("\x1b[");
});

it("a delivery that failed says where and why", () => {
  const told = { job_id: "j", attempt: 1, lateness_ms: 12.6, duration_ms: 31 };
  const failed = { outcome: "failed", error_code: "network", host: "a.example", reason: "No answer came." };
  const line = read(JSON.stringify({ level: "warn", event: "execution", ...told, ...failed }));
  expect(line).toBe(
    "12:00:00.000Z  delivery j attempt 1 failed network 13 ms late, 31 ms · a.example: No answer came.",
  );
  const done = read(
    JSON.stringify({ level: "info", event: "execution", ...told, outcome: "completed", http_status: 200 }),
  );
  expect(done).toBe("12:00:00.000Z  delivery j attempt 1 completed 200 13 ms late, 31 ms");
});

it("a text of several lines cannot begin one that looks like ours", () => {
  expect(read("Uncaught \x1b[31mException\x1b[2J\u0085\n12:00:00.000Z  GET /v1/jobs 200\r\n\tat x")).toBe(
    "Uncaught Exception\\u0085\n  12:00:00.000Z  GET /v1/jobs 200\n  \\tat x",
  );
});
