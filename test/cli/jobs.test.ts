// `chronos-edge` against the real service, as a person or a script calls it.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Finding } from "../../cli/diagnosis.ts";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Job, Schedule } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";
import { cliOf, json, machine } from "./terminal.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver.close());

/** A number that no JavaScript number holds. */
const LARGE = '{"n":12345678901234567890,"one":1.0}';

it("creates a job of every option, and --json prints what the API's reference describes", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const options =
    "--handler mail --in 2h --timeout 5m --retries 7 --backoff 10s,1m --expires-after 1d --tag a,b --tag c --flow f --key k1";
  const urls = ["--on-failed", receiver.target().url];
  const ran = await cli("jobs", "create", "welcome", "--payload", LARGE, ...options.split(" "), ...urls, "--json");
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(ran.out).toContain(`"payload": ${LARGE}`);
  const made: Job = JSON.parse(ran.out);
  const there = await tenant.job(made.id);
  expect(made).toEqual(there);
  expect(there).toMatchObject({
    ...{ name: "welcome", handler: "mail", timeout: 300, max_retries: 7, tags: ["a,b", "c"], flow: "f" },
    ...{ backoff: { type: "list", delays: [10, 60] }, idempotency_key: "k1", callbacks: { failed: {} } },
  });
  expect(Date.parse(there.expires_at ?? "") - Date.parse(there.scheduled_for)).toBe(86_400_000);
  const shown = await json<Job>(cli("jobs", "get", made.id, "--json"));
  expect(shown).toEqual(await tenant.get(`/v1/jobs/${made.id}`));
  const again = await cli("jobs", "create", "welcome", "--handler", "mail", "--key", "k1");
  expect(again).toEqual({ code: 3, out: "", err: expect.stringContaining(`It is ${made.id}.`) });
});

it("takes the payload from a file, from the standard input, and pushes with headers", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(500, 200);
  const cli = cliOf(tenant, `  ${LARGE}\n`);
  const where = ["--push", target.url, "--method", "PUT", "--header", "X-Own: a:b", "--backoff", "1s"];
  const followed = await cli("jobs", "create", "push", "--payload", "-", ...where, "--tail");
  expect(followed).toMatchObject({ code: 0, err: "" });
  const { headers, method, body } = await target.receives(2);
  expect([headers["x-own"], method, body.includes(`"payload":${LARGE}`)]).toEqual(["a:b", "PUT", true]);
  expect(followed.out).toMatch(
    /retrying +attempt 1 failed: http_status: .*\n(?:.*\n)*.*completed +attempt 2, 200 in \d+ ms$/,
  );
  const absent = await cli("jobs", "create", "push", "--payload", "@absent.json", ...where);
  expect(absent).toEqual({ code: 2, out: "", err: "error: payload: the file absent.json cannot be read: ENOENT" });
});

it("tails as lines of JSON, and ends with 1 for a job that fails", async () => {
  const cli = cliOf(await service.newTenant());
  const where = ["--push", receiver.target(400).url, "--retries", "0"];
  const { code, out } = await cli("jobs", "create", "push", ...where, "--tail", "--json");
  const lines = out.split("\n").map((line) => JSON.parse(line) as Job);
  expect([code, lines.at(-1)?.status, lines.at(-1)?.last_error?.code]).toEqual([1, "failed", "http_status"]);
});

it("goes on tailing while a service that has answered is restarted", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h" });
  const job = await tenant.job(id);
  const answers: [number, object][] = [
    [200, { success: true, message: "", data: { ...job, status: "running", attempts: 1 } }],
    [200, { success: true, message: "", data: [], meta: { paging: {} } }],
    // One more than the tries of a call.
    ...Array.from({ length: 5 }, (): [number, object] => [
      503,
      { success: false, message: "away", code: "unavailable" },
    ]),
    [200, { success: true, message: "", data: { ...job, status: "completed", completed_at: job.created_at } }],
    [200, { success: true, message: "", data: [], meta: { paging: {} } }],
  ];
  const server = createServer((_, response) => {
    const [status, body] = answers.shift() ?? [500, {}];
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, out } = await cliOf({ ...tenant, url: `http://127.0.0.1:${port}` })("jobs", "tail", id);
  server.close();
  expect([code, out.split("\n").map((line) => line.split(/ +/)[1])]).toEqual([0, ["running", "completed"]]);
});

it("lists, runs, cancels, retries and deletes, and goes on after one that is refused", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const name = "evil \u001b[2Jname";
  const create = (index: number) =>
    tenant.create({ name, handler: "h", delay: { value: 1, unit: "hour" }, idempotency_key: `${index}` });
  const [first, second] = [await create(1), await create(2)];
  const listed = await json<Job[]>(cli("jobs", "list", "--json", "--status", "pending", "--limit", "1"));
  expect(listed.map(({ id }) => id)).toEqual([second.id]);
  const table = await cli("jobs", "list", "--all");
  expect(table.out).toContain("evil \\u001b[2Jname");
  expect(await json<Job>(cli("jobs", "run", first.id, "--json"))).toMatchObject({ id: first.id });
  const cancelled = await cli("jobs", "cancel", first.id, second.id);
  expect(cancelled).toEqual({ code: 0, err: "", out: `${first.id}  cancelled\n${second.id}  cancelled` });
  const none = "00000000-0000-4000-8000-000000000000";
  const deleted = await cli("jobs", "delete", none, first.id);
  expect(deleted).toMatchObject({ code: 3, out: `${first.id}  deleted` });
  expect(deleted.err).toBe(`error: ${none}: There is no such job. (job_not_found)`);
  const inJson = await cli("jobs", "delete", none, first.id, "--json");
  const errors = inJson.err.split("\n").map((line) => JSON.parse(line));
  expect([inJson.code, JSON.parse(inJson.out), errors]).toMatchObject([
    3,
    [],
    [{ error: { id: none, code: "job_not_found" } }, { error: { id: first.id, code: "job_not_found" } }],
  ]);
  const retried = await cli("jobs", "retry", first.id, second.id);
  expect(retried).toMatchObject({ code: 3, out: expect.stringMatching(`^${second.id}  `) });
  expect(retried.err).toBe(`error: ${first.id}: There is no such job. (job_not_found)`);
  expect((await cli("jobs", "executions", second.id)).out).toMatch(/\n1 +queued +manual_retry/);
});

it("makes, previews, pauses and archives schedules as the API shows them", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const timing = ["--cron", "30 1 * 3 SUN", "--timezone", "Europe/London"];
  const made = await json<Schedule>(
    cli("schedules", "create", "weekly", ...timing, "--handler", "h", "--payload", LARGE, "--skip-overlap", "--json"),
  );
  expect(made).toEqual(await tenant.get(`/v1/schedules/${made.id}`));
  expect(made).toMatchObject({ cron: "30 1 * 3 SUN", timezone: "Europe/London", overlap: "skip" });
  const preview = await json<unknown>(cli("schedules", "preview", made.id, "--count", "3", "--json"));
  expect(preview).toEqual(await tenant.get(`/v1/schedules/${made.id}/preview?count=3`));
  expect(await json<unknown>(cli("schedules", "preview", ...timing, "--count", "3", "--json"))).toEqual(preview);
  expect((await cli("schedules", "pause", made.id)).out).toBe(`${made.id}  paused`);
  expect((await cli("schedules", "list")).out).toMatch(/paused .*30 1 \* 3 SUN Europe\/London .*weekly/);
  const job = await json<Job>(cli("schedules", "trigger", made.id, "--json"));
  expect(job).toMatchObject({ schedule_id: made.id, origin: "schedule" });
  expect((await cli("schedules", "archive", made.id)).code).toBe(0);
  expect(await cli("schedules", "create", "x", "--handler", "h")).toEqual({
    code: 2,
    out: "",
    err: "error: --cron or --every is needed, and not both",
  });
});

it("makes keys that are printed once, alone, and lists them without", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const { out: key, code } = await cli("keys", "create", "dash", "--scope", "read", "--expires-in", "30d");
  expect([code, key]).toEqual([0, expect.stringMatching(/^chrns_\S+$/)]);
  const reader = cliOf({ url: tenant.url, apiKey: key });
  expect((await reader("jobs", "list")).code).toBe(0);
  const refused = await reader("jobs", "create", "x", "--handler", "h");
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("(forbidden)")]);
  const keys = await json<{ id: string; name: string }[]>(cli("keys", "list", "--json"));
  expect(keys).toEqual(await tenant.get("/v1/api-keys"));
  expect(JSON.stringify(keys)).not.toContain(key);
  const id = keys.find(({ name }) => name === "dash")?.id ?? "";
  expect((await cli("keys", "delete", id)).out).toBe(`${id}  deleted`);
  expect(await cli("keys", "list")).toMatchObject({ out: expect.not.stringContaining("dash") });
});

it("makes, tests and disables webhooks", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const target = receiver.target();
  const made = await json<{ id: string }>(
    cli("webhooks", "create", target.url, "--event", "job.failed,job.recovered", "--json"),
  );
  expect(await tenant.get("/v1/webhooks")).toEqual([made]);
  expect((await cli("webhooks", "test", made.id)).code).toBe(0);
  expect((await target.receives()).body).toContain('"webhook.test"');
  expect((await cli("webhooks", "disable", made.id)).out).toBe(`${made.id}  disabled`);
  expect((await cli("webhooks", "list")).out).toContain(target.url);
  expect((await cli("webhooks", "delete", made.id)).code).toBe(0);
});

it("finds an idle account well, and says which handler nobody works for", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  const well = await cli("doctor");
  expect([well.code, well.out.split("\n").at(-1)]).toEqual([0, expect.stringMatching(/^All is well: nothing is late/)]);
  const { id } = await tenant.create({ handler: "nobody" });
  await tenant.whenIt("queued", id);
  type Report = { well: boolean; verdict: string; findings: Finding[] };
  const ran = await cli("doctor", "--json");
  const report: Report = JSON.parse(ran.out);
  expect([ran.code, report.well]).toEqual([1, false]);
  expect(report.verdict).toBe(
    'Not well: 1 job waits for the handler "nobody", and no worker has asked in the last seven days.',
  );

  // A job counts as overdue ten seconds after it was due.
  let late = "";
  const isLate = async () => {
    late = (await cli("doctor")).out;
    return late.includes("overdue");
  };
  await until(isLate, 30_000, () => late, 1_000);
  expect(late).toContain("1 job is overdue, the oldest for 1");
  expect(late).toContain(`Job ${id} (a job): No worker has asked for`);
});

it("shows how far a worker is while it tails", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h" });
  const lines: string[] = [];
  const env = { CHRONOS_URL: tenant.url, CHRONOS_API_KEY: tenant.apiKey };
  const tailing = machine(env, "", { out: (line) => void lines.push(line) }).cli("jobs", "tail", id);
  const claimed = await tenant.mustClaim("h");
  await tenant.say("heartbeat", claimed, { progress: { rows: 4711 } });
  const isShown = () => lines.some((line) => line.endsWith('running    attempt 1: {"rows":4711}'));
  await until(isShown, 30_000, () => lines.join("\n"));
  await tenant.say("complete", claimed, { result: { done: true } });
  expect((await tailing).code).toBe(0);
  expect(lines.at(-1)).toMatch(/completed +attempt 1, \{"done":true\} in /);
});
