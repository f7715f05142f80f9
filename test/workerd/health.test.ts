// GET /health, and what the front page says of it: whoever set something wrong learns what.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { api, app, requestOf } from "./harness/api.ts";
import { databaseDown } from "./harness/database.ts";

const RULE = "RETENTION_DAYS must be a whole number of days from 1 to 36500. Until then nothing is deleted.";

it.each([
  ["MASTER_KEY", { MASTER_KEY: undefined }, "MASTER_KEY is not set."],
  ["RETENTION_DAYS", { RETENTION_DAYS: "0" }, RULE],
  ["RETENTION_DAYS", { RETENTION_DAYS: "-1" }, RULE],
  ["RETENTION_DAYS", { RETENTION_DAYS: "abc" }, RULE],
  [
    "MAX_SCHEDULES",
    { MAX_SCHEDULES: "many" },
    "MAX_SCHEDULES must be a whole number from 1 to 1000000000. Until then it is 10000.",
  ],
])("names the setting at fault: %s", async (_, vars, message) => {
  const { status, headers, body } = await api("GET", "/health", { env: vars });
  expect([status, body.code, body.message]).toEqual([503, "unavailable", message]);
  expect(headers.get("Retry-After")).toBe("60");
  const about = await api<{ healthy: boolean }>("GET", "/", { env: vars });
  expect(about.body.data.healthy).toBe(false);
});

it.each(["1", "36500", 30, undefined])("is well with RETENTION_DAYS %j", async (days) => {
  expect((await api("GET", "/health", { env: { RETENTION_DAYS: days } })).status).toBe(200);
});

it("does not quote what a database says", async () => {
  databaseDown("secret words");
  const { status, text } = await api("GET", "/health");
  expect([status, text.includes("secret")]).toEqual([503, false]);
});

it("the front page leads to it", async () => {
  const asked = requestOf("GET", "/", { headers: { Accept: "text/html" } });
  const page = await app.fetch(asked, { ...env, RETENTION_DAYS: "0" as never }, createExecutionContext());
  expect(await page.text()).toContain('The service is not well; its <a href="health">health</a> says why.');
});
