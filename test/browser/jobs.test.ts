// The list of jobs: filters, selection, and what is done with many.

import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import type { Tenant } from "../harness/tenant.ts";
import { it, newTenant } from "./harness/dashboard.ts";

const rows = (page: Page) => page.locator("tr[data-id]");
const statusChip = (page: Page, status: string) => page.getByRole("group").getByRole("button", { name: status });
const queryOf = (page: Page) => new URL(page.url()).searchParams.toString();

/** Jobs that are due tomorrow: rows and nothing else. */
async function makeJobs(tenant: Tenant, count: number, more: object = {}): Promise<void> {
  for (let made = 0; made < count; made += 100) {
    const jobs = Array.from({ length: Math.min(100, count - made) }, (_, n) => ({
      ...{ name: `job ${made + n}`, handler: "h", delay: { value: 1, unit: "day" } },
      ...more,
    }));
    await tenant.post("/v1/jobs/batch", { jobs });
  }
}

async function cancelAll(tenant: Tenant): Promise<void> {
  const { id } = await tenant.post<{ id: string }>("/v1/bulk-actions", { action: "cancel", filter: { all: true } });
  const isOver = async () => (await tenant.get<{ status: string }>(`/v1/bulk-actions/${id}`)).status === "completed";
  await expect.poll(isOver, { timeout: 30_000, interval: 250 }).toBe(true);
}

describe("filters", () => {
  it("stand in the address, and the back button undoes them one by one", async ({ open }) => {
    const { page } = await open("/dashboard/jobs");
    await rows(page).first().waitFor();
    await statusChip(page, "failed").click();
    await expect.poll(() => queryOf(page)).toBe("status=failed");
    await expect.poll(() => page.locator("tr[data-id] .badge:not(.failed)").count()).toBe(0);

    await page.getByRole("button", { name: "+ Filter" }).click();
    await page.getByLabel("Filter by").selectOption("handler");
    await page.getByLabel("Value").fill("send-mail");
    await page.keyboard.press("Enter");
    await expect.poll(() => queryOf(page)).toBe("status=failed&handler=send-mail");
    await expect
      .poll(async () => new Set(await page.locator("td.target").allInnerTexts()))
      .toEqual(new Set(["send-mail"]));

    await page.goBack();
    expect(queryOf(page)).toBe("status=failed");
    await expect.poll(async () => new Set(await page.locator("td.target").allInnerTexts()).size).toBeGreaterThan(1);
    await page.goBack();
    expect(queryOf(page)).toBe("");
    expect(await statusChip(page, "failed").getAttribute("aria-pressed")).toBe("false");
    await page.goForward();
    await page.reload();
    await rows(page).first().waitFor();
    expect(await statusChip(page, "failed").getAttribute("aria-pressed")).toBe("true");
  });

  it("that the service refuses are shown with what would be right", async ({ open }) => {
    const { page } = await open("/dashboard/jobs?schedule_id=nonsense", { allow: /status of 422/ });
    await page.getByRole("alert").getByText("Must be a UUID or `null`.").waitFor();
    await page.getByRole("button", { name: "Remove the filter schedule nonsense" }).click();
    await rows(page).first().waitFor();
  });
});

describe("pages", () => {
  it("lead to older jobs and back to where one was", async ({ open }) => {
    const { page } = await open("/dashboard/jobs?status=completed");
    await rows(page).nth(49).waitFor();
    const first = await rows(page).first().getAttribute("data-id");
    const older = page.getByRole("link", { name: "Older" });
    await older.scrollIntoViewIfNeeded();
    const scrolled = await page.evaluate<number>("scrollY");
    expect(scrolled).toBeGreaterThan(500);
    await older.click();
    await page.getByText("Page 2").waitFor();
    await expect.poll(() => rows(page).first().getAttribute("data-id")).not.toBe(first);
    await page.goBack();
    await expect.poll(() => rows(page).first().getAttribute("data-id")).toBe(first);
    await expect.poll(() => page.evaluate<number>("scrollY")).toBe(scrolled);
  });
});

describe("many at once", () => {
  it("selects a range, takes those that the action fits, and tells of one that it no longer fitted", async ({
    open,
  }) => {
    const tenant = await newTenant();
    await makeJobs(tenant, 6);
    // Jobs of one batch have their millisecond in common, and no order that could be foreseen.
    const listed = await tenant.get<{ id: string }[]>("/v1/jobs");
    for (const { id } of listed.slice(4)) await tenant.post(`/v1/jobs/${id}/cancel`, {});
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await page.locator("tr[data-id] .badge.cancelled").nth(1).waitFor();
    await rows(page).nth(1).getByRole("checkbox").click();
    await rows(page)
      .nth(5)
      .getByRole("checkbox")
      .click({ modifiers: ["Shift"] });
    await page.getByText("5 selected").waitFor();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByText("2 jobs, of the 5 selected.").waitFor();
    await page.getByRole("button", { name: "Retry 2 jobs" }).waitFor();
    await tenant.post(`/v1/jobs/${listed[4]?.id}/retry`, {});
    await page.getByRole("button", { name: "Retry 2 jobs" }).click();
    await page.getByText("1 job retried, 1 skipped because of its status.").waitFor();
    await expect.poll(() => page.locator("tr[data-id] .badge.cancelled").count()).toBe(0);
    expect(await page.getByText("selected").count()).toBe(0);
  });

  it("retries all 1,200 that match, with their number first", { timeout: 120_000 }, async ({ open }) => {
    const tenant = await newTenant();
    await makeJobs(tenant, 1_200, { tags: ["import"] });
    await cancelAll(tenant);
    await makeJobs(tenant, 1, { name: "not meant" });
    const { page } = await open("/dashboard/jobs?tag=import", { apiKey: tenant.apiKey });
    await page.getByLabel("Select all jobs of this page").click();
    await page.getByText("50 selected").waitFor();
    await page.getByRole("button", { name: "Select all 1,200 jobs that match" }).click();
    await page.getByText("All 1,200 jobs that match").waitFor();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByText("Only failed and cancelled jobs can be retried.").waitFor();
    await page.getByRole("button", { name: "Retry 1,200 jobs" }).click();
    await page.getByText(/Retrying [\d,]+ of 1,200 jobs/).waitFor();
    await page.getByText("1,200 jobs retried.").waitFor({ timeout: 90_000 });
    const left = await tenant.call("GET", "/v1/jobs?tag=import&status=cancelled");
    expect(left.body.meta.paging.total).toBe(0);
    expect(await tenant.get("/v1/jobs?name=not%20meant")).toMatchObject([{ status: "pending", revision: 1 }]);
  });

  it("changes nothing when the person keeps them as they are", async ({ open }) => {
    const tenant = await newTenant();
    await makeJobs(tenant, 3);
    const { page, takeAsked } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await page.getByLabel("Select all jobs of this page").click();
    takeAsked();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel 3 jobs" }).waitFor();
    await page.getByRole("button", { name: "Keep as they are" }).click();
    await page.getByText("3 selected").waitFor();
    expect(takeAsked().filter((asked) => asked.startsWith("POST"))).toEqual(["POST /v1/bulk-actions"]);
    expect((await tenant.call("GET", "/v1/jobs?status=pending")).body.meta.paging.total).toBe(3);
  });
});
