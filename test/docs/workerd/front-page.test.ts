// The front page while the database is down: it is there, and says so, to people and to programs.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { api, app, requestOf } from "../../workerd/harness/api.ts";
import { databaseDown } from "../../workerd/harness/database.ts";

async function page(): Promise<string> {
  const asked = requestOf("GET", "/", { headers: { Accept: "text/html" } });
  const response = await app.fetch(asked, env, createExecutionContext());
  expect(response.status).toBe(200);
  return response.text();
}

it("tells a browser that the service is well, and that it is not", async () => {
  expect(await page()).toContain("The service is well.");
  databaseDown();
  expect(await page()).toContain("The service is not well");
});

it("tells a program, too", async () => {
  databaseDown();
  const { status, body } = await api<{ healthy: boolean }>("GET", "/");
  expect([status, body.data.healthy]).toEqual([200, false]);
});
