// One job: what it carries byte for byte, its attempts, and what is done with it.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { Receiver } from "../harness/receiver.ts";
import type { Claimed } from "../harness/tenant.ts";
import { it, newTenant } from "./harness/dashboard.ts";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.listen();
});
afterAll(() => receiver.close());

const EVIL = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>`;
const PAYLOAD = `{"n":9223372036854775808,"a":1.0,"a":2,"html":"${EVIL.replaceAll('"', '\\"')}"}`;

const post = (page: Page, path: string, body: string) =>
  page.evaluate(
    async ([to, sent]) => {
      const answer = await fetch(to, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: sent,
      });
      return ((await answer.json()) as { data: { id: string } }).data.id;
    },
    [path, body] as const,
  );

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

describe("what others have written", () => {
  it("is text: names, tags, payloads, errors, answers and their headers", async ({ open }) => {
    const tenant = await newTenant();
    const target = receiver.target((response) => {
      response.writeHead(400, { "Content-Type": "text/html", "X-Evil": "<script>window.owned=1</script>" }).end(EVIL);
    });
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    const work = JSON.stringify({ ...target.delivery(), name: EVIL, tags: ["<b>tag</b>"], idempotency_key: EVIL });
    const id = await post(page, "/v1/jobs", `${work.slice(0, -1)},"payload":${PAYLOAD}}`);
    await page.getByRole("link", { name: EVIL }).click();
    await expect.poll(() => page.getByRole("region", { name: "Response body of attempt 1" }).innerText()).toBe(EVIL);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe(EVIL);
    await page.getByText("<b>tag</b>").waitFor();
    await page
      .getByText(/^\d+ headers$/)
      .first()
      .click();
    await page.getByText("x-evil: <script>window.owned=1</script>").waitFor();
    expect(await page.getByRole("region", { name: "Payload" }).innerText()).toBe(PAYLOAD);
    expect(await page.getByRole("region", { name: "Request body of attempt 1" }).innerText()).toBe(
      target.deliveries[0]?.body,
    );
    expect(await page.locator("#app :is(img, script, iframe)").count()).toBe(0);
    expect(await page.evaluate(`"owned" in window`)).toBe(false);
    expect(page.url()).toContain(id);
  });

  it("is indented without touching a number, and copied as it was sent", async ({ open }) => {
    const tenant = await newTenant();
    const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const id = await post(page, "/v1/jobs", `{"name":"a","handler":"h","payload":{"n":9223372036854775808,"a":1.0}}`);
    await page.goto(`/dashboard/jobs/${id}`);
    await button(page, "Indent").click();
    expect(await page.getByRole("region", { name: "Payload" }).innerText()).toBe(
      '{\n  "n": 9223372036854775808,\n  "a": 1.0\n}',
    );
    await button(page, "Copy: Payload").click();
    await page.getByText("Payload is copied.").first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe('{"n":9223372036854775808,"a":1.0}');
  });
});

describe("attempts", () => {
  it("are drawn to scale, and the next is announced", async ({ open }) => {
    const tenant = await newTenant();
    const target = receiver.target(500);
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", {
      ...{ name: "retried", backoff: { type: "list", delays: [1, 3_600] } },
      ...target.delivery(),
    });
    await target.receives(2);
    const { page } = await open(`/dashboard/jobs/${id}`, { apiKey: tenant.apiKey });
    await page.getByText("Attempt 2 failed").waitFor();
    expect(await page.locator("button.attempt").count()).toBe(2);
    await page
      .locator(".attempt.to-come")
      .getByText(/in (59 min|1 h)/)
      .waitFor();
    // Two attempts within seconds stand at the beginning of a line of an hour.
    const x = await page.locator(".lane-run.failed").evaluateAll((bars) => bars.map((bar) => bar.getAttribute("x")));
    expect(x.map((one) => Number.parseFloat(one ?? "")).every((percent) => percent < 1)).toBe(true);
    await page.locator("button.attempt").first().click();
    await page.getByText("scheduled", { exact: true }).first().waitFor();
  });

  it("with a result show it, and the progress a worker spoke of", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "pulled", handler: "h" });
    const { execution_id } = await tenant.post<Claimed>("/v1/worker/jobs/claim", { handlers: ["h"], worker_id: "w-1" });
    await tenant.post(`/v1/worker/jobs/${id}/heartbeat`, { execution_id, progress: { percent: 40 } });
    const { page } = await open(`/dashboard/jobs/${id}`, { apiKey: tenant.apiKey });
    await expect
      .poll(() => page.getByRole("region", { name: "Progress of attempt 1" }).innerText())
      .toBe('{"percent":40}');
    await page.getByText("w-1").waitFor();
    await tenant.post(`/v1/worker/jobs/${id}/complete`, { execution_id, result: { ok: true } });
    await expect.poll(() => page.getByRole("region", { name: "Result", exact: true }).innerText()).toBe('{"ok":true}');
  });
});

describe("actions", () => {
  it("a cancellation that comes too late changes nothing and says so", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "a job", handler: "h" });
    const { page } = await open(`/dashboard/jobs/${id}`, { apiKey: tenant.apiKey, allow: /status of 409/ });
    await button(page, "Cancel").click();
    await button(page, "Cancel the job").waitFor();
    const { execution_id } = await tenant.post<Claimed>("/v1/worker/jobs/claim", { handlers: ["h"] });
    await tenant.post(`/v1/worker/jobs/${id}/complete`, { execution_id });
    await button(page, "Cancel the job").click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Keep as it is" }).click();
    await page.locator("header .badge.completed").waitFor();
    expect(await button(page, "Cancel").isDisabled()).toBe(true);
    expect(await tenant.job(id)).toMatchObject({ status: "completed" });
  });

  it("run, cancel, retry and delete, each at its time", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", {
      ...{ name: "a job", handler: "h", delay: { value: 1, unit: "day" } },
    });
    const { page } = await open(`/dashboard/jobs/${id}`, { apiKey: tenant.apiKey, allow: /status of 404/ });
    await page.locator("header .badge.pending").waitFor();
    for (const name of ["Retry", "Delete"]) expect(await button(page, name).isDisabled(), name).toBe(true);
    await button(page, "Run now").click();
    await page.locator("header .badge.queued").waitFor();
    await button(page, "Cancel").click();
    await button(page, "Cancel the job").click();
    await page.locator("header .badge.cancelled").waitFor();
    await button(page, "Retry").click();
    await page.locator("header .badge.queued").waitFor();
    await button(page, "Cancel").click();
    await button(page, "Cancel the job").click();
    await page.locator("header .badge.cancelled").waitFor();
    await button(page, "Delete").click();
    await button(page, "Delete the job").click();
    await page.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
    expect((await tenant.call("GET", `/v1/jobs/${id}`)).status).toBe(404);
  });

  it("an edit is meant for the job as it was read: a later one is not overwritten", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", {
      ...{ name: "a job", handler: "h", tags: ["a"], flow: "f", delay: { value: 1, unit: "day" } },
    });
    const { page } = await open(`/dashboard/jobs/${id}/edit`, { apiKey: tenant.apiKey, allow: /status of 412/ });
    await page.getByLabel("Name", { exact: true }).fill("mine");
    await tenant.call("PATCH", `/v1/jobs/${id}`, { name: "theirs" });
    await button(page, "Save").click();
    await page.getByText("It has changed since you read it.").waitFor();
    await button(page, "Begin again with the job as it is now").click();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("theirs");
    await page.getByLabel("Name", { exact: true }).fill("mine");
    await page.getByLabel("Flow").fill("");
    await button(page, "Save").click();
    await page.getByRole("heading", { level: 1, name: "mine" }).waitFor();
    expect(await tenant.job(id)).toMatchObject({ name: "mine", tags: ["a"], flow: null });
  });
});

describe("a new job", () => {
  it("is refused beside the field at fault, and then made", async ({ open }) => {
    const tenant = await newTenant();
    const { page } = await open("/dashboard/jobs/new", { apiKey: tenant.apiKey, allow: /status of 422/ });
    await page.getByLabel("Delivery").selectOption("push");
    await page.getByLabel("URL").fill("nonsense");
    await page.getByLabel("Payload").fill('{"n":9223372036854775808}');
    await button(page, "Create the job").click();
    await expect.poll(() => page.getByLabel("Name", { exact: true }).getAttribute("aria-invalid")).toBe("true");
    const id = await page.getByLabel("Name", { exact: true }).getAttribute("id");
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe(id); // the focus moves once that is drawn
    await page.getByLabel("Name", { exact: true }).fill("by hand");
    await page.getByLabel("Delivery").selectOption("pull");
    await page.getByLabel("Handler").fill("h");
    await page.getByLabel("When", { exact: true }).selectOption("at");
    await page.getByLabel("Time", { exact: true }).fill("2030-03-31T01:30");
    await page.getByLabel("On a clock in").fill("Europe/London");
    await button(page, "Create the job").click();
    await page.getByRole("heading", { level: 1, name: "by hand" }).waitFor();
    expect(await page.getByRole("region", { name: "Payload" }).innerText()).toBe('{"n":9223372036854775808}');
    // In London the clocks go from 1 to 2 that night.
    const [made] = await tenant.get<{ scheduled_for: string }[]>("/v1/jobs");
    expect(made?.scheduled_for).toBe("2030-03-31T01:00:00.000Z");
  });

  it("whose key is in use leads to the job that has it", async ({ open }) => {
    const tenant = await newTenant();
    const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "first", handler: "h", idempotency_key: "k" });
    const { page } = await open(`/dashboard/jobs/new?like=${id}`, { apiKey: tenant.apiKey, allow: /status of 409/ });
    await page.getByText("Retries, tags, key, callbacks").waitFor();
    if (!(await page.getByLabel("Idempotency key", { exact: true }).isVisible()))
      await page.getByText("Retries, tags, key").click();
    await page.getByLabel("Idempotency key", { exact: true }).fill("k");
    await button(page, "Create the job").click();
    await page.getByRole("link", { name: "Show the job that has this key: first" }).click();
    await page.getByRole("heading", { level: 1, name: "first" }).waitFor();
    expect(await tenant.get("/v1/jobs")).toHaveLength(1);
  });
});
