// A page that keeps itself up to date without taking anything out of one's hands.

import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import type { Tenant } from "../harness/tenant.ts";
import { it, newTenant } from "./harness/dashboard.ts";

const rows = (page: Page) => page.locator("tr[data-id]");
const later = { handler: "h", delay: { value: 1, unit: "day" } };

const make = (tenant: Tenant, names: readonly string[]): Promise<{ job: { id: string } }[]> =>
  tenant.post("/v1/jobs/batch", { jobs: names.map((name) => ({ name, ...later })) });

/** As far as a page can tell. A browser without a window never hides one by itself. */
const setVisible = (page: Page, state: "visible" | "hidden") =>
  page.evaluate(`
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "${state}" });
    document.dispatchEvent(new Event("visibilitychange"));
  `);

describe("a refresh of the list", () => {
  it("keeps rows, selection, focus and scroll, says how many are new, and shows them when asked", async ({ open }) => {
    const tenant = await newTenant();
    await make(
      tenant,
      Array.from({ length: 45 }, (_, n) => `job ${n}`),
    );
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await rows(page).nth(44).waitFor();
    const row = rows(page).nth(30);
    await row.getByRole("checkbox").click();
    await row.getByRole("link").focus();
    const state = async () => ({
      box: await row.boundingBox(),
      scroll: await page.evaluate("scrollY"),
      focused: await page.evaluate("document.activeElement.textContent"),
      isSelected: await row.getByRole("checkbox").isChecked(),
      first: await rows(page).first().getByRole("link").innerText(),
      count: await rows(page).count(),
    });
    const before = await state();
    expect(before).toMatchObject({ focused: await row.getByRole("link").innerText(), isSelected: true, count: 45 });
    expect(before.scroll).toBeGreaterThan(200);

    await make(tenant, ["new", "new", "new"]);
    await tenant.post(`/v1/jobs/${await row.getAttribute("data-id")}/cancel`, {});
    await row.getByText("cancelled").waitFor();
    expect(await state()).toEqual(before);

    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await page.getByRole("button", { name: "3 new · Update" }).click();
    expect(await rows(page).first().getByRole("link").innerText()).toBe("new");
  });

  it("shows the answer to an action at once, though the list still says otherwise", async ({ open }) => {
    const tenant = await newTenant();
    await make(tenant, ["the job"]);
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await rows(page).first().waitFor();
    // From here on the list lags: it is what it was before.
    const [id] = await tenant.get<{ id: string }[]>("/v1/jobs").then((jobs) => jobs.map((job) => job.id));
    const old = JSON.stringify((await tenant.call("GET", "/v1/jobs?size=50")).body);
    await page.route("**/v1/jobs?*", (route) => route.fulfill({ body: old, contentType: "application/json" }));
    await page.getByRole("link", { name: "the job" }).click();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.getByText("It is cancelled.").first().waitFor();
    await page.goBack();
    await page.locator(`tr[data-id="${id}"] .badge.cancelled`).waitFor();
  });
});

describe("a hidden tab", () => {
  it("asks for nothing, and for everything at once when it is seen again", async ({ open }) => {
    const tenant = await newTenant();
    await make(tenant, ["a job"]);
    const { page, takeAsked } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await rows(page).first().waitFor();
    await setVisible(page, "hidden");
    takeAsked();
    // Longer than two rounds of the poll.
    await page.waitForTimeout(7_000);
    expect(takeAsked()).toEqual([]);
    await make(tenant, ["another"]);
    await setVisible(page, "visible");
    await page.getByRole("button", { name: "1 new · Update" }).waitFor({ timeout: 1_500 });
  });
});

describe("a rate limit", () => {
  it("is waited for as long as the service asks, and the action is done", async ({ open }) => {
    const tenant = await newTenant();
    const [{ job }] = (await make(tenant, ["a job"])) as [{ job: { id: string } }];
    const { page } = await open(`/dashboard/jobs/${job.id}`, { apiKey: tenant.apiKey, allow: /status of 429/ });
    const askedAt: number[] = [];
    await page.route("**/cancel", (route) => {
      askedAt.push(Date.now());
      if (askedAt.length > 1) return route.continue();
      return route.fulfill({
        status: 429,
        headers: { "Retry-After": "2" },
        contentType: "application/json",
        body: JSON.stringify({ success: false, code: "rate_limit_exceeded", message: "Too many.", errors: [] }),
      });
    });
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator("header .badge.cancelled").waitFor();
    const [first = 0, second = 0] = askedAt;
    expect(second - first).toBeGreaterThanOrEqual(1_990);
  });
});

describe("a service that cannot answer", () => {
  it("is asked less and less often, and what was read last stays", async ({ open }) => {
    const tenant = await newTenant();
    await make(tenant, ["a job"]);
    const { page, takeAsked } = await open("/dashboard/jobs", { apiKey: tenant.apiKey, allow: /status of 503/ });
    await rows(page).first().waitFor();
    await page.route("**/v1/jobs?*", (route) =>
      route.fulfill({
        status: 503,
        headers: { "Retry-After": "20" },
        contentType: "application/json",
        body: JSON.stringify({ success: false, code: "unavailable", message: "The store is away.", errors: [] }),
      }),
    );
    await page.getByText("The store is away. This page shows the last answer").waitFor();
    expect(await rows(page).count()).toBe(1);
    takeAsked();
    await page.waitForTimeout(4_000);
    expect(takeAsked()).toEqual([]);
  });
});
