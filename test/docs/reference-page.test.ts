// The pages a browser is shown, in a real one: Debian's Chromium.

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page, type Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { behindPrefix } from "../harness/prefix-proxy.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { until } from "../harness/until.ts";

/** Named by CI, where a missing browser is a failure. Elsewhere these tests are left out without one. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const isHere = process.env.CHROMIUM !== undefined || existsSync(executablePath);

/** A browser that looks up nothing of its own accord. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let service: Service;
let browser: Browser;

beforeAll(async () => {
  if (!isHere) return;
  service = await sharedService();
  browser = await chromium.launch({ executablePath, args: QUIET });
});
afterAll(async () => {
  await browser?.close();
});

/** A page that remembers what it asked for and what it complained of. */
async function open(path: string, base = service.url): Promise<{ page: Page; asked: string[]; complaints: string[] }> {
  const page = await browser.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (line) => (line.type() === "error" ? complaints.push(line.text()) : undefined));
  await page.goto(base + path);
  return { page, asked, complaints };
}

/** Gives the page a key, finds an operation by its name, sends it, and answers what came of it. */
async function tryOut(page: Page, key: string, operation: string, method: string): Promise<Response> {
  await page.locator(".nav-bar-info", { hasText: "Authentication" }).click();
  await page.getByPlaceholder("api-token").first().fill(key);
  await page.getByRole("button", { name: "Set" }).first().click();
  await page.getByText("1 API key applied").waitFor();
  await page.getByPlaceholder("Filter").fill(operation);
  await page.getByPlaceholder("Filter").press("Enter");
  const found = page.locator(".nav-bar-path:visible");
  await expect.poll(() => found.count()).toBe(1);
  await found.click();
  const answered = page.waitForResponse((response) => response.request().method() === method);
  await page.getByRole("button", { name: "Try" }).click();
  return answered;
}

describe.skipIf(!isHere)("the reference", () => {
  it("finds an operation, sends it with a key, and shows the answer", async () => {
    const tenant = await service.newTenant();
    const { page, asked, complaints } = await open("/docs");
    const response = await tryOut(page, tenant.apiKey, "create a job", "POST");
    expect([response.url(), response.status()]).toEqual([`${service.url}/v1/jobs`, 201]);
    const { id } = (await response.json()).data;
    await page.getByText(id).first().waitFor();
    expect(await tenant.job(id)).toMatchObject({ id, name: "Welcome mail" });

    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(service.url) && !url.startsWith("data:"))).toEqual([]);
    await page.close();
  });

  it("lists all jobs unless a filter is filled in", async () => {
    const tenant = await service.newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "a job", handler: "h" });
    await until(
      async () => (await tenant.get<unknown[]>("/v1/jobs")).length === 1,
      10_000,
      () => "It is not listed",
    );
    const { page } = await open("/docs");
    const response = await tryOut(page, tenant.apiKey, "list jobs", "GET");
    expect(response.url()).toBe(`${service.url}/v1/jobs`);
    await page.getByText(id).first().waitFor();
    await page.close();
  });

  it("sends to where it was served from, behind a path prefix", async () => {
    const tenant = await service.newTenant();
    const { base, close } = await behindPrefix(service.url);
    const { page, asked, complaints } = await open("/docs", base);
    const response = await tryOut(page, tenant.apiKey, "create a job", "POST");
    expect([response.url(), response.status()]).toEqual([`${base}/v1/jobs`, 201]);
    expect(asked.filter((url) => !url.startsWith(base) && !url.startsWith("data:"))).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
    close();
  });

  it("shows webhooks and every group of operations", async () => {
    const { page } = await open("/docs");
    await page.locator(".nav-bar-path", { hasText: "A push delivery" }).waitFor();
    for (const tag of ["Jobs", "Schedules", "Workers", "Account", "Operator", "Service"])
      expect(await page.locator(".nav-bar-tag", { hasText: tag }).count(), tag).toBe(1);
    await page.close();
  });
});

describe.skipIf(!isHere)("the front page", () => {
  it("says what this is, that it is well, and leads to the reference", async () => {
    const { page, complaints } = await open("/");
    expect(await page.getByRole("heading").innerText()).toBe("Chronos on the edge");
    expect(await page.getByRole("status").innerText()).toBe("The service is well.");
    await page.getByRole("link", { name: "Reference" }).click();
    await page.locator(".nav-bar-path", { hasText: "Create a job" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
