// The documents a browser is shown: reference, guides and the front page.

import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Locator, Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { behindPrefix } from "../harness/prefix-proxy.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { launchChromium } from "./harness/chromium.ts";

let service: Service;
let browser: Browser;

beforeAll(async () => {
  service = await sharedService();
  browser = await launchChromium();
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
  page.setDefaultTimeout(15_000);
  await page.goto(base + path);
  return { page, asked, complaints };
}

/** An operation's section, with its form unfolded. */
async function formOf(page: Page, id: string): Promise<Locator> {
  const form = page.locator(`#${id} .try`);
  await form.locator("summary").click();
  return form;
}

/** Sends what is in a form, and answers what came of it. */
async function sendIt(page: Page, form: Locator): Promise<Response> {
  const answered = page.waitForResponse((response) => response.url().includes("/v1/"));
  await form.getByRole("button", { name: "Send", exact: true }).click();
  return answered;
}

/** What of a request was not there before somebody filled it in. */
const filledIn = async (response: Response) => {
  const request = response.request();
  const { authorization, cookie } = await request.allHeaders();
  return { query: new URL(request.url()).search, body: request.postData(), authorization, cookie };
};

describe("the reference", () => {
  it("opens on the two keys, each with a name of its own, and a first job with this service's address", async () => {
    const { page, asked, complaints } = await open("/docs");
    const headings = await page.locator("main h2").allInnerTexts();
    expect(headings.slice(0, 2)).toEqual(["Authentication", "A first job"]);
    for (const name of ["API key", "Admin token"])
      expect(await page.locator(".keys").getByLabel(name, { exact: true }).isVisible()).toBe(true);
    expect(await page.locator("#first-job pre").first().innerText()).toContain(`${service.url}/v1/jobs`);
    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(service.url))).toEqual([]);
    await page.close();
  });

  it("finds an operation, sends our example with a key, and shows the answer", async () => {
    const tenant = await service.newTenant();
    const { page, asked, complaints } = await open("/docs");
    await page.locator(".keys").getByLabel("API key").fill(tenant.apiKey);
    await page.getByLabel("Find an operation").fill("post create job");
    const found = page.locator("#contents a:visible");
    await found.filter({ hasText: /^Create a job$/ }).click();
    const form = await formOf(page, "createJob");
    await form.getByRole("button", { name: "Fill in: Pushed to your URL in two hours" }).click();
    const response = await sendIt(page, form);
    expect([response.url(), response.status()]).toEqual([`${service.url}/v1/jobs`, 201]);
    const { id } = (await response.json()).data;
    await form.getByText(id).waitFor();
    expect(await form.locator(".outcome").innerText()).toMatch(/^201 after \d+ ms, request [0-9a-f-]{36}$/);
    expect(await tenant.job(id)).toMatchObject({ id, name: "Welcome mail" });
    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(service.url))).toEqual([]);
    await page.close();
  });

  it("sends nothing that was not filled in: no parameter, no body, no key, no cookie", async () => {
    const tenant = await service.newTenant();
    const { page, complaints } = await open("/docs");
    await page.context().addCookies([{ name: "chronos_session", value: "a session", url: service.url }]);
    const list = await formOf(page, "listJobs");
    const empty = await sendIt(page, list);
    expect(empty.status()).toBe(401);
    expect(await filledIn(empty)).toEqual({ query: "", body: null, authorization: undefined, cookie: undefined });
    await list.getByLabel("API key").fill(tenant.apiKey);
    const all = await sendIt(page, list);
    expect([all.status(), (await filledIn(all)).query]).toEqual([200, ""]);
    await list.getByLabel("status").fill("failed, cancelled");
    expect((await filledIn(await sendIt(page, list))).query).toBe("?status=failed&status=cancelled");
    const claim = await formOf(page, "claimJob");
    const sent = await filledIn(await sendIt(page, claim));
    expect([sent.body, sent.authorization]).toEqual([null, `Bearer ${tenant.apiKey}`]); // one field stands in all forms
    // A refused request is a line in the browser's console, whatever the page does with it.
    expect(complaints.filter((line) => !/status of 4\d\d/.test(line))).toEqual([]);
    await page.close();
  });

  it("gives the operator's paths the admin token, and shows numbers beyond 2^53 as they came", async () => {
    const tenant = await service.newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", {
      name: "big",
      handler: "h",
      delay: { value: 1, unit: "hour" },
    });
    const raw = await fetch(`${service.url}/v1/jobs/${id}`, {
      method: "PATCH",
      headers: { Authorization: `Bearer ${tenant.apiKey}`, "Content-Type": "application/json" },
      body: '{"payload":{"n":9223372036854775807,"s":"a\\"{,"}}',
    });
    expect(raw.status).toBe(200);
    const { page } = await open("/docs");
    await page.locator(".keys").getByLabel("Admin token").fill(service.operator.apiKey);
    const accounts = await formOf(page, "listAccounts");
    expect((await sendIt(page, accounts)).status()).toBe(200);
    const read = await formOf(page, "getJob");
    await read.getByLabel("API key").fill(tenant.apiKey);
    await read.getByLabel("id").fill(id);
    await sendIt(page, read);
    await read.getByText('"n": 9223372036854775807,').waitFor();
    await read.getByText('"s": "a\\"{,"').waitFor();
    await page.close();
  });

  it("sends to where it was served from, behind a path prefix, and says so in its commands", async () => {
    const tenant = await service.newTenant();
    const { base, close } = await behindPrefix(service.url);
    const { page, asked, complaints } = await open("/docs", base);
    const form = await formOf(page, "listJobs");
    await form.getByLabel("API key").fill(tenant.apiKey);
    const response = await sendIt(page, form);
    expect([response.url(), response.status()]).toEqual([`${base}/v1/jobs`, 200]);
    expect(await page.locator("#listJobs pre").first().innerText()).toContain(`${base}/v1/jobs`);
    expect(asked.filter((url) => !url.startsWith(base))).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
    close();
  });

  it.each(["light", "dark"] as const)("is %s when the system is, and fits on 320 and 420 px", async (colorScheme) => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 420, height: 800 } });
    for (const path of ["/docs", "/"]) {
      const page = await context.newPage();
      await page.goto(service.url + path);
      for (const width of [420, 320]) {
        await page.setViewportSize({ width, height: 800 });
        expect([path, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([path, width]);
      }
      const ground = await page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
      expect(ground).toBe(colorScheme === "light" ? "rgb(246, 247, 249)" : "rgb(16, 18, 22)");
    }
    await context.close();
  });

  it("can be read without script, with every operation, event and object, each once", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${service.url}/docs`);
    const ids = await page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    type Operations = Record<string, Record<string, { operationId: string }>>;
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Record<string, Operations>;
    const operations = Object.values({ ...document.paths, ...document.webhooks }).flatMap(Object.values);
    expect(ids).toEqual(expect.arrayContaining(operations.map(({ operationId }) => operationId)));
    const anchors = await page.locator('a[href^="#"]').evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    expect(anchors.filter((anchor) => !ids.includes(anchor?.slice(1) ?? ""))).toEqual([]);
    expect(await page.locator(".try:visible").count()).toBe(0);
    await context.close();
  });
});

describe.each(["/", "/docs", "/docs/guides", "/docs/guides/why-has-it-not-run"])("%s", (path) => {
  it.each(["light", "dark"] as const)("can be used by everybody: axe finds nothing (%s)", async (colorScheme) => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 420, height: 800 } });
    const page = await context.newPage();
    await page.goto(service.url + path);
    if (path === "/docs") await formOf(page, "createJob");
    // The sections of operations are all alike, and all of them would take axe half a minute.
    await page.locator(".operation").evaluateAll((all) => all.slice(3).forEach((one) => void one.remove()));
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    await context.close();
  });
});

describe("the front page", () => {
  it("says what this is, that it is well, and leads to the reference", async () => {
    const { page, complaints } = await open("/");
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Chronos on the edge");
    expect(await page.getByRole("status").innerText()).toBe("The service is well.");
    const [create] = await page.locator("main pre").filter({ hasText: "curl" }).allInnerTexts();
    expect(create).toContain(`${service.url}/v1/jobs`);
    await page.getByRole("link", { name: "Reference" }).click();
    await page.getByRole("heading", { name: "Create a job" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
