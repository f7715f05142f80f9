// A copy that is made while the service works, and a service that goes on from it somewhere else: nothing is lost that was
// answered before the copy, and nothing runs again that had ended before it.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { copyState } from "../../../local/backup/copy.ts";
import { takeLock } from "../../../local/lock.ts";
import { markOf } from "../../../local/processes.ts";
import { PROJECT } from "../../../local/settings.ts";
import { isAlive, killAll } from "../../harness/process-tree.ts";
import { Receiver } from "../../harness/receiver.ts";
import { OwnService } from "../../harness/service.ts";
import { type Job, Tenant } from "../../harness/tenant.ts";
import { until } from "../../harness/until.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `chronos-edge <args>` on this state folder. @returns its exit code and all it said */
async function command(args: readonly string[], state: string, env: Record<string, string> = {}) {
  const run = promisify(execFile)(process.execPath, ["--no-warnings", "bin/chronos-edge.js", ...args], {
    cwd: PROJECT,
    env: { ...process.env, CHRONOS_STATE: state, ...env },
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, said: stdout + stderr }),
  );
}

/** The instant that a copy shows. */
const madeAt = (archive: string): number =>
  Date.parse(JSON.parse(execFileSync("tar", ["-xOf", archive, "./backup.json"], { encoding: "utf8" })).made_at);

it("a service under load is copied, killed, and goes on from the copy", { timeout: 240_000 }, async () => {
  const receiver = await Receiver.listen();
  onTestFinished(() => receiver.close());
  const target = receiver.target(200);
  const push = target.delivery();
  const service = new OwnService();
  onTestFinished(() => service.stop());
  await service.ready();
  const tenant = await service.newTenant();

  // Jobs that are answered before the copy: waiting, far ahead, cancelled, changed, queued, recurring, and a crowd that has
  // just ended by its owners, before the database is told of most of it.
  const soon = await tenant.create({ delay: { value: 20, unit: "minute" }, ...push });
  const far = await tenant.create({ delay: { value: 3, unit: "day" }, ...push });
  const cancelled = await tenant.create({ delay: { value: 25, unit: "minute" }, ...push });
  const changed = await tenant.create({ delay: { value: 20, unit: "minute" }, ...push });
  const pulled = await tenant.create({ handler: "pull" });
  const interval = { value: 1, unit: "hour" };
  const schedule = await tenant.post<{ id: string }>("/v1/schedules", { name: "ticks", interval, handler: "tick" });
  await tenant.whenIt("queued", pulled.id);
  await tenant.post(`/v1/jobs/${cancelled.id}/cancel`);
  await tenant.call("PATCH", `/v1/jobs/${changed.id}`, { name: "changed" });
  const due = new Date(Date.now() + 2_000).toISOString();
  const jobs = Array(100).fill({ name: "one of a crowd", scheduled_for: due, ...push });
  const crowd = await tenant.post<{ job: Job }[]>("/v1/jobs/batch", { jobs });
  await target.receives(30);
  const looking = await tenant.anotherKey();
  const ended = new Map<string, number>();
  for (const { json } of target.deliveries.slice(0, 30))
    if ((await looking.job(json.job_id)).status === "completed") ended.set(json.job_id, Date.now());

  const copy = join(folder, "copy.tgz");
  const made = await command(["backup", copy], join(service.folder, "state"));
  expect(made).toEqual({ code: 0, said: expect.stringMatching(/copy\.tgz: \d+ files .*held still for \d+ ms\.\n$/) });
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  // The service goes on as if nothing had been.
  const afterwards = await tenant.create(push);
  await tenant.whenIt("completed", afterwards.id);
  const processes = service.processes;
  killAll(processes);
  await until(
    () => !processes.some(isAlive),
    10_000,
    () => "it does not die",
  );
  const deliveredBefore = target.deliveries.length;

  const other = join(folder, "elsewhere");
  const restored = await command(["restore", copy], join(other, "state"));
  expect(restored).toMatchObject({ code: 0, said: expect.stringContaining("Start the service on it") });
  const second = new OwnService({ folder: other });
  onTestFinished(() => second.stop());
  await second.ready();
  const there = new Tenant({ ...tenant, url: second.url });

  expect(await there.get("/v1/signing-secret")).toMatchObject({ signing_secret: tenant.signingSecret });
  expect(await there.job(soon.id)).toEqual(soon);
  expect(await there.job(far.id)).toEqual(far);
  expect((await there.job(cancelled.id)).status).toBe("cancelled");
  expect((await there.job(changed.id)).name).toBe("changed");
  expect((await there.mustClaim("pull")).job_id).toBe(pulled.id);
  expect(await there.get(`/v1/schedules/${schedule.id}`)).toMatchObject({ status: "active" });
  const completed = async () => (await there.call("GET", "/v1/jobs?status=completed")).body.meta.paging.total;
  await until(
    async () => (await completed()) === crowd.length,
    60_000,
    () => "the crowd does not end",
    250,
  );
  const over = [...ended].filter(([, seenAt]) => seenAt <= madeAt(copy)).map(([id]) => id);
  const again = target.deliveries.slice(deliveredBefore).map(({ json }) => json.job_id);
  expect(over.filter((id) => again.includes(id))).toEqual([]);
  expect(over.length).toBeGreaterThan(0);
});

describe("the copy", () => {
  const D1 = "v3/d1/a-class/0a.sqlite";
  const OBJECT = "v3/do/a-class/0b.sqlite";

  /** A runtime that writes one number after the other, to an object first, then to the database, as fast as it can. */
  async function writer(state: string): Promise<ChildProcess> {
    for (const path of [D1, OBJECT]) mkdirSync(join(state, path, ".."), { recursive: true });
    const script = `
      const { DatabaseSync } = require("node:sqlite");
      const [object, d1] = process.argv.slice(1).map((path) => {
        const db = new DatabaseSync(path);
        db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE one (n INTEGER); INSERT INTO one VALUES (0)");
        return db.prepare("UPDATE one SET n = ?");
      });
      for (let n = 1; ; n++) { object.run(n); d1.run(n); if (n === 1000) console.log("writes"); }`;
    const child = spawn(process.execPath, ["--no-warnings", "-e", script, join(state, OBJECT), join(state, D1)]);
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const run = { ...markOf(process.pid), children: [markOf(child.pid ?? 0)], is_serving: true };
    writeFileSync(join(state, "run.json"), JSON.stringify(run));
    return child;
  }

  const numberIn = (path: string): number => {
    const database = new DatabaseSync(path);
    const { n } = database.prepare("SELECT n FROM one").get() ?? {};
    database.close();
    return Number(n);
  };

  it("shows database and objects as of one instant", async () => {
    const state = join(folder, "written");
    const child = await writer(state);
    for (const to of ["1", "2", "3", "4", "5"].map((name) => join(folder, `copied-${name}`))) {
      mkdirSync(to);
      await copyState(state, to);
      const ahead = numberIn(join(to, OBJECT)) - numberIn(join(to, D1));
      expect([0, 1]).toContain(ahead);
    }
    expect(isAlive(child.pid ?? 0)).toBe(true);
  });

  it("wakes the service when it is killed while that is held still", async () => {
    const child = await writer(join(folder, "held"));
    const script = `
      import { whileFrozen } from "${join(PROJECT, "local/backup/freeze.ts")}";
      await whileFrozen([${JSON.stringify(markOf(child.pid ?? 0))}], () => { console.log("held"); for (;;); });`;
    const backup = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
    await once(backup.stdout, "data");
    const state = () => readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1)?.[0];
    expect(state()).toBe("T");
    backup.kill("SIGKILL");
    await until(
      () => state() === "R",
      5_000,
      () => "it still stands still",
    );
  });
});

describe("a copy is refused", () => {
  const stateOf = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(join(path, "v3"), { recursive: true });
    return path;
  };

  it("where something is, and leaves that alone", async () => {
    const target = join(folder, "there.tar");
    writeFileSync(target, "mine");
    const { code, said } = await command(["backup", target], stateOf("any"));
    expect([code, said]).toEqual([1, `${target} is there already. Name a file or folder that is not\n`]);
    expect(readFileSync(target, "utf8")).toBe("mine");
  });

  it("to a file of another form", async () => {
    const target = join(folder, "copy.zip");
    const { code, said } = await command(["backup", target], stateOf("any"));
    expect([code, said]).toEqual([1, `${target}: a copy is a folder, or a file that ends in .tar, .tar.gz or .tgz\n`]);
  });

  it("of a folder that holds no service", async () => {
    mkdirSync(join(folder, "nothing"));
    const { code, said } = await command(["backup", join(folder, "of-nothing")], join(folder, "nothing"));
    expect([code, said]).toEqual([1, `There is no state of a service in ${join(folder, "nothing")}\n`]);
    expect(readdirSync(folder).filter((name) => name.startsWith("of-nothing"))).toEqual([]);
  });

  it("of a service that works where its processes cannot be seen", async () => {
    const state = stateOf("unseen");
    const lock = await takeLock(state);
    const { code, said } = await command(["backup", join(folder, "unseen-copy")], state);
    await lock?.release();
    expect(code).toBe(1);
    expect(said).toContain("its processes cannot be seen from here");
  });
});

describe("a restore is refused", () => {
  it("into a folder that is not empty, and leaves that alone", async () => {
    const state = join(folder, "full");
    mkdirSync(state);
    writeFileSync(join(state, "mine"), "mine");
    const copy = join(folder, "full-copy");
    mkdirSync(copy);
    const { code, said } = await command(["restore", copy], state);
    expect([code, said]).toEqual([1, expect.stringContaining(`${state} is not empty (mine)`)]);
    expect(readdirSync(state)).toEqual(["mine"]);
  });

  it("of a file of another form", async () => {
    const copy = join(folder, "copy.txt");
    writeFileSync(copy, "no copy");
    const { code, said } = await command(["restore", copy], join(folder, "of-text"));
    expect([code, said]).toEqual([1, `${copy}: a copy is a folder, or a file that ends in .tar, .tar.gz or .tgz\n`]);
    expect(existsSync(join(folder, "of-text"))).toBe(false);
  });

  it("of a copy that is not whole, and makes nothing of it", async () => {
    const state = stateWithCopy();
    const copy = join(folder, "cut");
    await command(["backup", copy], state);
    rmSync(join(copy, "dev.json"));
    const into = join(folder, "of-cut");
    const { code, said } = await command(["restore", copy], into);
    expect([code, said]).toEqual([1, expect.stringContaining("is no whole copy")]);
    expect(["v3", "secrets.env", ".restoring"].filter((name) => existsSync(join(into, name)))).toEqual([]);
  });

  it("by nothing else: what a stopped service left comes back", async () => {
    const state = stateWithCopy();
    const copy = join(folder, "of-stopped");
    expect(await command(["backup", copy], state)).toMatchObject({
      code: 0,
      said: expect.not.stringContaining("still"),
    });
    const into = join(folder, "from-stopped");
    expect(await command(["restore", copy], into)).toMatchObject({
      code: 0,
      said: expect.stringContaining("MASTER_KEY is not"),
    });
    expect(readFileSync(join(into, "dev.json"), "utf8")).toBe("{}");
    expect(statSync(into).mode & 0o777).toBe(0o700);
  });

  let made = 0;
  /** A state folder without a server, whose master key is the environment's. */
  function stateWithCopy(): string {
    const state = join(folder, `stopped-${++made}`);
    mkdirSync(join(state, "v3"), { recursive: true });
    writeFileSync(join(state, "v3/one"), "1");
    writeFileSync(join(state, "dev.json"), "{}");
    return state;
  }
});
