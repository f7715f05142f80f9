// Signing in and out: no key stays in the browser, and nobody else's page can use the session.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { describe, expect, inject } from "vitest";
import { it, newTenant } from "./harness/dashboard.ts";

const REFUSED = /status of 40[13]/;

const jobsHeading = (page: Page) => page.getByRole("heading", { name: "Jobs", exact: true });
const signInButton = (page: Page) => page.getByRole("button", { name: "Sign in" });

async function signInByForm(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key").fill(key);
  await signInButton(page).click();
}

/** Everything a script could read: the page, both storages, cookies, the address and what came before it. */
const readable = (page: Page): Promise<string> =>
  page.evaluate(`JSON.stringify([
    document.documentElement.outerHTML,
    [...document.querySelectorAll("input")].map((input) => input.value),
    { ...localStorage },
    { ...sessionStorage },
    document.cookie,
    location.href,
    history.state,
  ])`);

describe("a session", () => {
  it("begins with a key, outlives a reload, and ends when one signs out", async ({ open }) => {
    const { apiKey } = await newTenant();
    const { page } = await open("/dashboard/jobs", { apiKey: null, allow: REFUSED });
    await signInByForm(page, apiKey);
    await jobsHeading(page).waitFor();
    expect(await readable(page)).not.toContain(apiKey.slice(0, 12));
    await page.reload();
    await jobsHeading(page).waitFor();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signInButton(page).waitFor();
    await page.reload();
    await signInButton(page).waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  it("is a cookie that no script can read", async ({ open }) => {
    const { page } = await open("/dashboard/jobs");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate("document.cookie")).toBe("");
  });

  it("does not begin with a wrong key: the field is empty again, and says why", async ({ open }) => {
    const { page } = await open("/dashboard/jobs", { apiKey: null, allow: REFUSED });
    await signInByForm(page, "chrns_wrong_key_that_somebody_typed");
    await page.getByText("This API key opens nothing").waitFor();
    expect(await readable(page)).not.toContain("chrns_wrong");
  });

  it("that has ended asks for the key, and goes on where one was", async ({ open }) => {
    const { apiKey } = await newTenant();
    const { page } = await open("/dashboard/jobs?status=failed", { apiKey, allow: REFUSED });
    await page.getByText("No job matches").waitFor();
    await page.context().clearCookies();
    await page.getByText("Your session has ended").waitFor();
    await signInByForm(page, apiKey);
    await page.getByText("No job matches").waitFor();
    expect(new URL(page.url()).search).toBe("?status=failed");
  });

  it("begins with the link of the banner, whose token does not stay in the address", async ({ open }) => {
    const link = inject("signInLink");
    const { page } = await open(link.slice(inject("dashboardUrl").length), { apiKey: null, allow: REFUSED });
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    expect(await readable(page)).not.toContain("sign-in=");
    expect(await page.evaluate<number>("history.length")).toBeLessThanOrEqual(2);
  });

  it("begins with a link that is opened in a page that is already there", async ({ open }) => {
    const { page } = await open("/dashboard/jobs", { apiKey: null, allow: REFUSED });
    await signInButton(page).waitFor();
    const token = inject("signInLink").split("#")[1];
    await page.evaluate(`location.hash = "${token}"`);
    await jobsHeading(page).waitFor();
    expect(await readable(page)).not.toContain("sign-in=");
  });

  it("is asked for again while the service cannot be reached", async ({ open }) => {
    const SESSION = "**/dashboard/session";
    const { apiKey } = await newTenant();
    const before = async (page: Page) => void (await page.route(SESSION, (route) => route.abort()));
    const { page } = await open("/dashboard/jobs", { apiKey, before, allow: /ERR_FAILED/ });
    await page.getByText("The service cannot be reached. This page keeps asking.").waitFor();
    await page.unroute(SESSION);
    await page.getByText("No jobs yet").waitFor();
  });

  it("of another account, begun in another tab, leaves nothing of the first one on the screen", async ({ open }) => {
    const [first, second] = [await newTenant(), await newTenant()];
    await first.post("/v1/jobs", { name: "of the first account", handler: "h" });
    const { page } = await open("/dashboard/jobs", { apiKey: first.apiKey, allow: REFUSED });
    await page.getByText("of the first account").waitFor();
    const other = await page.context().newPage();
    await other.goto("/dashboard/settings");
    await other.getByRole("button", { name: "Menu" }).click();
    await other.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You signed out in another tab.").waitFor();
    await signInByForm(other, second.apiKey);
    await page.getByText("No jobs yet").waitFor();
    expect(await page.getByText("of the first account").count()).toBe(0);
  });

  it("that is read only shows no action, and the service refuses one", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "a job", handler: "h" });
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey, readOnly: true, allow: REFUSED });
    await page.getByRole("link", { name: "a job" }).waitFor();
    expect(await page.getByRole("checkbox").count()).toBe(0);
    expect(await page.getByRole("link", { name: "New job" }).count()).toBe(0);
    await page.getByRole("link", { name: "a job" }).click();
    await page.getByRole("heading", { name: "Attempts" }).waitFor();
    for (const name of ["Run now", "Retry", "Cancel", "Edit", "Delete"])
      expect(await page.getByRole("button", { name, exact: true }).count(), name).toBe(0);
    await page.goto("/dashboard/jobs/new");
    await page.getByText("This session is read only").waitFor();
    const status = await page.evaluate(
      (path) => fetch(path, { method: "POST" }).then((answer) => answer.status),
      `/v1/jobs/${id}/cancel`,
    );
    expect(status).toBe(403);
    expect(await tenant.job(id)).toMatchObject({ status: "queued" });
  });
});

it("another origin of the same host can neither post with the session nor read what is answered", async ({ open }) => {
  const tenant = await newTenant();
  const { page, url } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
  await page.getByText("No jobs yet").waitFor();
  const intruder = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>elsewhere</title>");
  }).listen(0, "127.0.0.1");
  await once(intruder, "listening");
  const other = await page.context().newPage();
  // Another port of the same host is the same site, so the browser sends the `SameSite=Strict` cookie along: without it, the
  // answer would be 401.
  await other.goto(`http://127.0.0.1:${(intruder.address() as AddressInfo).port}/`);
  const [answered] = await Promise.all([
    other.waitForResponse((response) => response.url() === `${url}/v1/jobs`),
    other.evaluate(`fetch("${url}/v1/jobs", {
      ...{ method: "POST", mode: "no-cors", credentials: "include" },
      body: JSON.stringify({ name: "intruder", handler: "h" }),
    })`),
  ]);
  expect(answered.status()).toBe(403);
  const read = await other.evaluate(
    `fetch("${url}/v1/jobs", { credentials: "include" }).then(() => "read", () => "refused")`,
  );
  expect(read).toBe("refused");
  intruder.close();
  expect(await tenant.get("/v1/jobs")).toEqual([]);
});
