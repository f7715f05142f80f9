// The programs of the guides for Python, Go, Ruby and PHP, as they are on the page, against the real service: they create a job,
// receive its delivery, and work, through a proxy that fails each kind of call once.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { quietPort } from "../harness/quiet-port.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";
import { Program, takeFrom } from "./harness/program.ts";
import { onABadDay } from "./harness/troubled.ts";

interface Language {
  readonly guide: string;
  /** What the machine has when it has the language. */
  readonly version: readonly string[];
  /** What starts a program of this name. */
  readonly start: (name: string, port?: number) => readonly string[];
  readonly build?: (folder: string) => Promise<unknown>;
}

/** Built, since `go run` hands on neither signals nor exit codes. */
const buildGo = async (folder: string): Promise<void> => {
  const env = { ...process.env, GO111MODULE: "off", GOCACHE: join(tmpdir(), "chronos-go-cache") };
  const go = (...args: string[]) => promisify(execFile)("go", args, { cwd: folder, env });
  await go("build", "-o", "create", "chronos.go", "create.go");
  await go("build", "-o", "receiver", "receiver.go");
  await go("build", "-o", "worker", "chronos.go", "worker.go");
};

const LANGUAGES: Readonly<Record<string, Language>> = {
  Python: { guide: "python.md", version: ["python3", "--version"], start: (name) => ["python3", `${name}.py`] },
  Go: { guide: "go.md", version: ["go", "version"], start: (name) => [`./${name}`], build: buildGo },
  Ruby: { guide: "ruby.md", version: ["ruby", "--version"], start: (name) => ["ruby", `${name}.rb`] },
  PHP: {
    guide: "php.md",
    version: ["php", "--version"],
    start: (name, port) => ["php", ...(port ? ["-S", `127.0.0.1:${port}`] : []), `${name}.php`],
  },
};

let service: Service;

beforeAll(async () => {
  service = await sharedService();
});

type Run = (name: string, tenant: Tenant, env?: Record<string, string>) => Program;

/** The guide's programs in a folder of their own, with a proxy of their own; all of it is gone after the test. */
async function prepared({ guide, start, build }: Language, { onTestFinished }: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "chronos-guide-"));
  const proxy = await onABadDay(service.url);
  const programs: Program[] = [];
  onTestFinished(async () => {
    await Promise.all(programs.map((program) => program.kill()));
    proxy.close();
    rmSync(folder, { recursive: true });
  });
  takeFrom(guide, folder);
  await build?.(folder);
  const run: Run = (name, tenant, env = {}) => {
    const program = new Program(start(name, Number(env.PORT)), folder, {
      CHRONOS_URL: proxy.url,
      CHRONOS_API_KEY: tenant.apiKey,
      CHRONOS_SIGNING_SECRETS: `whsec_another,${tenant.signingSecret}`,
      ...env,
    });
    programs.push(program);
    return program;
  };
  return { run, proxy };
}

/** A job is made once however often it is created; its delivery is verified, and answered by what became of the work. */
async function createsAndReceives(run: Run): Promise<void> {
  const tenant = await service.newTenant();
  const port = await quietPort();
  const url = `http://127.0.0.1:${port}/jobs`;
  const receiver = run("receiver", tenant, { PORT: `${port}` });
  const unsigned = async () => (await fetch(url, { method: "POST", body: "{}" }).catch(() => null))?.status;
  await until(
    async () => (await unsigned()) === 401,
    30_000,
    () => `It does not listen:\n${receiver.output}`,
    100,
  );

  const ids: string[] = [];
  for (let time = 1; time <= 2; time++) {
    const create = run("create", tenant, { RECEIVER_URL: url });
    expect([await create.ends(), create.output]).toEqual([0, create.output]);
    expect(/again in 1 ?s/.test(create.output)).toBe(time === 1);
    ids.push(create.output.trim().split("\n").at(-1) ?? "");
  }
  const [id = "", same] = ids;
  expect(same).toBe(id);
  expect(await tenant.whenIt("completed", id)).toMatchObject({ attempts: 1, name: "welcome mail" });
  await receiver.prints(`sending to ada@example.com for the job ${id}`);

  const delivery = { type: "push", http: { url, method: "POST" } };
  const { id: broken } = await tenant.create({ payload: { subject: "to nobody" }, delivery, max_retries: 0 });
  expect(await tenant.whenIt("failed", broken)).toMatchObject({ last_error: { code: "http_status" } });
  expect((await tenant.executions(broken)).map(({ response }) => response?.status)).toEqual([500]);
}

/** It waits out what passes, reports what became of each job, keeps its lease, and heeds a cancellation and a signal. */
async function works(run: Run): Promise<void> {
  const tenant = await service.newTenant();
  const account = `/v1/admin/accounts/${tenant.id}`;
  await service.operator.post(`${account}/suspend`);
  const worker = run("worker", tenant);
  await worker.prints("account_suspended");
  await service.operator.post(`${account}/resume`);
  const create = async (handler: string, payload: object, more: object = {}) =>
    (await tenant.create({ handler, payload, ...more })).id;

  const mail = await create("email", { to: "ada@example.com" });
  expect((await tenant.whenIt("completed", mail)).result).toEqual({ sent: "ada@example.com" });

  const [nobody, many, long] = [
    await create("email", { subject: "to nobody" }),
    await create("import", { rows: "many" }, { max_retries: 0 }),
    await create("import", { rows: 12 }, { timeout: 5, max_retries: 0 }),
  ];
  expect((await tenant.whenIt("completed", long)).result).toEqual({ imported: 12 });
  const [execution] = await tenant.executions(long);
  expect(execution?.progress).toMatchObject({ rows: expect.any(Number) });
  expect(await tenant.job(nobody)).toMatchObject({
    ...{ status: "failed", attempts: 1 },
    last_error: { code: "handler_error", message: expect.stringMatching(/payload has no recipient/) },
  });
  expect(await tenant.job(many)).toMatchObject({ status: "failed", last_error: { code: "handler_error" } });

  const endless = await create("import", { rows: 1_000 }, { timeout: 3 });
  await tenant.whenIt("running", endless);
  await tenant.post(`/v1/jobs/${endless}/cancel`);
  const last = await create("import", { rows: 8 }, { timeout: 5 });
  // Its first beat says that the worker has it: a claim whose answer is on its way is lost with a worker that stops.
  const begun = async () => (await tenant.executions(last))[0]?.progress != null;
  await until(begun, 60_000, () => `It does not begin:\n${worker.output}`, 250);
  expect([await worker.ends("SIGTERM"), worker.output]).toEqual([0, worker.output]);
  expect((await tenant.job(last)).status).toBe("completed");
}

/** With nothing to do it ends soon; with a key that is not one it ends by itself, and says why. */
async function ends(run: Run): Promise<void> {
  const tenant = await service.newTenant();
  const stranger = run("worker", tenant.withKey("chrns_wrong"), { CHRONOS_URL: service.url });
  expect([await stranger.ends(), stranger.output]).toEqual([1, expect.stringContaining("401 unauthorized")]);
  const idle = run("worker", tenant, { CHRONOS_URL: service.url });
  const asks = async () =>
    (await tenant.get<{ workers: unknown[] }[]>("/v1/handlers")).some((one) => one.workers.length > 0);
  await until(asks, 30_000, () => `It never asks:\n${idle.output}`, 250);
  expect([await idle.ends("SIGTERM", 10_000), idle.output]).toEqual([0, ""]);
}

describe("the programs of a guide create a job, receive its delivery, and work", () => {
  for (const [name, language] of Object.entries(LANGUAGES)) {
    const [command = "", ...args] = language.version;
    const isHere = spawnSync(command, args).status === 0;
    it.skipIf(!isHere && process.env.EVERY_LANGUAGE !== "1").concurrent(name, async (context) => {
      const { run, proxy } = await prepared(language, context);
      await Promise.all([createsAndReceives(run), works(run), ends(run)]);
      expect(proxy.met.sort()).toEqual(["/claim", "/complete", "/heartbeat", "/v1/jobs"]);
    });
  }
});

it.each(Object.values(LANGUAGES))("$guide verifies as the guide to signatures does", ({ guide }) => {
  const read = (name: string) => readFileSync(join(PROJECT, "docs", name), "utf8");
  const [, shown = ""] = /^```(?:python|go|ruby|php) receiver\.\w+\n(.*?)^```$/ms.exec(read(guide)) ?? [];
  const verifies =
    /^(?:def|func|function) (?:is_?from_?chronos|from_chronos\?).*?(?=^(?:def|func|function|type|class) |^end$)/ims;
  const own = verifies.exec(shown)?.[0].trim() ?? "";
  expect(own.length).toBeGreaterThan(300);
  expect(read("verifying-signatures.md")).toContain(own);
});
