// A copy that is made while the service works, and a service that goes on from it somewhere else: nothing is lost that was
// answered before the copy, and nothing runs again that had ended before it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PROJECT } from "../../../local/settings.ts";
import { isAlive, killAll } from "../../harness/process-tree.ts";
import { Receiver, type Target } from "../../harness/receiver.ts";
import { OwnService } from "../../harness/service.ts";
import { Tenant } from "../../harness/tenant.ts";
import { until } from "../../harness/until.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  code: number;
  said: string;
}

/** `chronos-edge <args>` on this state folder. */
async function command(args: readonly string[], state: string, env: Record<string, string> = {}): Promise<Outcome> {
  const run = promisify(execFile)(process.execPath, ["--no-warnings", "bin/chronos-edge.js", ...args], {
    cwd: PROJECT,
    env: { ...process.env, CHRONOS_STATE: state, ...env },
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, said: stdout + stderr }),
  );
}

describe("a service under load", () => {
  let receiver: Receiver;
  let target: Target;
  const services: OwnService[] = [];
  beforeAll(async () => {
    receiver = await Receiver.listen();
    target = receiver.target(200);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await receiver.close();
  });

  it("is copied, killed, and goes on from the copy", async () => {
    const service = new OwnService();
    services.push(service);
    await service.ready();
    const tenant = await service.newTenant();
    const keys = await tenant.moreKeys(4);
    const push = target.delivery();

    // What is answered before the copy: waiting, far ahead, cancelled, changed, in a queue, recurring.
    const soon = await tenant.create({ delay: { value: 20, unit: "minute" }, ...push });
    const far = await tenant.create({ delay: { value: 3, unit: "day" }, ...push });
    const cancelled = await tenant.create({ delay: { value: 25, unit: "minute" }, ...push });
    const changed = await tenant.create({ delay: { value: 20, unit: "minute" }, ...push });
    const pulled = await tenant.create({ handler: "pull" });
    const schedule = await tenant.post<{ id: string }>("/v1/schedules", {
      ...{ name: "ticks", interval: { value: 1, unit: "hour" }, handler: "tick" },
    });
    await tenant.whenIt("queued", pulled.id);
    await tenant.post(`/v1/jobs/${cancelled.id}/cancel`);
    await tenant.call("PATCH", `/v1/jobs/${changed.id}`, { name: "changed" });

    // Jobs that begin and end all the time, and whose ends are seen as soon as they are there.
    const created: string[] = [];
    const ended = new Set<string>();
    const load = new AbortController();
    const make = async (key: Tenant) => {
      while (!load.signal.aborted) {
        const job = await key.create({ delay: { value: 1, unit: "second" }, ...push }).catch(() => null);
        if (job === null) return;
        created.push(job.id);
        await sleep(100);
      }
    };
    const look = async () => {
      const key = await tenant.anotherKey();
      while (!load.signal.aborted) {
        const page = await key.get<{ id: string }[]>("/v1/jobs?status=completed&size=100").catch(() => []);
        for (const { id } of page) ended.add(id);
        await sleep(150);
      }
    };
    const workers = [...keys.map(make), look()];
    await until(
      () => ended.size > 40,
      30_000,
      () => `only ${ended.size} jobs ended`,
    );

    const before = { created: [...created], ended: [...ended] };
    const copy = join(folder, "copy.tgz");
    const made = await command(["backup", copy], join(service.folder, "state"));
    expect(made).toEqual({ code: 0, said: expect.stringMatching(/copy\.tgz: \d+ files .*held still for \d+ ms\.\n$/) });
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    // It goes on as if nothing had been.
    const afterwards = await tenant.create({ ...push });
    await tenant.whenIt("completed", afterwards.id);
    const processes = service.processes;
    killAll(processes);
    await until(
      () => !processes.some(isAlive),
      10_000,
      () => "it does not die",
    );
    load.abort();
    await Promise.all(workers);
    const deliveredBefore = target.deliveries.length;

    const other = join(folder, "elsewhere");
    expect((await command(["restore", copy], join(other, "state"))).code).toBe(0);
    const restored = new OwnService({ folder: other });
    services.push(restored);
    await restored.ready();
    const there = await sameTenant(tenant, restored);

    expect(await there.job(soon.id)).toEqual(soon);
    expect(await there.job(far.id)).toEqual(far);
    expect((await there.job(cancelled.id)).status).toBe("cancelled");
    expect((await there.job(changed.id)).name).toBe("changed");
    expect((await there.mustClaim("pull")).job_id).toBe(pulled.id);
    expect(await there.get(`/v1/schedules/${schedule.id}`)).toMatchObject({ id: schedule.id, status: "active" });
    for (const [i, id] of before.created.entries()) await (await keysOf(there))[i % 4]?.whenIt("completed", id);
    const again = target.deliveries.slice(deliveredBefore).map(({ json }) => json.job_id);
    expect(again.filter((id) => before.ended.includes(id))).toEqual([]);
    expect(before.ended.length).toBeGreaterThan(40);
  });

  /** The same account at the restored service: its key and its secret are known there. */
  async function sameTenant(tenant: Tenant, restored: OwnService): Promise<Tenant> {
    const there = new Tenant({ ...tenant, url: restored.url });
    expect(await there.get("/v1/signing-secret")).toMatchObject({ signing_secret: tenant.signingSecret });
    return there;
  }

  let more: Promise<Tenant[]> | undefined;
  const keysOf = (tenant: Tenant) => {
    more ??= tenant.moreKeys(4);
    return more;
  };
});
