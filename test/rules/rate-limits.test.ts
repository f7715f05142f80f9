// The rate limits that wrangler.toml binds, and those that are kept in code beside them.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const config = readFileSync("wrangler.toml", "utf8");

it("the limits bound to the Worker are the contract's, an account's ten times a key's", () => {
  const found = [...config.matchAll(/name = "(\w+_RATE_LIMIT)"\nnamespace_id = "(\d+)"\nsimple = (.*)/g)];
  expect(found.map(([, name, , simple]) => [name, simple])).toEqual([
    ["API_RATE_LIMIT", "{ limit = 100, period = 10 }"],
    ["WORKER_RATE_LIMIT", "{ limit = 1000, period = 10 }"],
    ["ACCOUNT_RATE_LIMIT", "{ limit = 1000, period = 10 }"],
    ["ACCOUNT_WORKER_RATE_LIMIT", "{ limit = 10000, period = 10 }"],
    ["GUESS_RATE_LIMIT", "{ limit = 30, period = 10 }"],
  ]);
  expect(new Set(found.map(([, , id]) => id)).size).toBe(5);
});

it("a burst of guesses is counted in the isolate by the limit that is bound", () => {
  expect(readFileSync("src/http/guess-limit.ts", "utf8")).toContain(
    "const MAX_GUESSES = 30;\nconst PERIOD_MS = 10_000;",
  );
});
