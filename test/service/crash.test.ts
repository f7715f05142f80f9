// workerd is killed in the midst of its work, by SIGKILL: nothing is lost, nothing runs twice but what was in flight, and
// that costs no retry. A service of its own, so that the crash is nobody else's.

import { afterAll, beforeAll, expect, it } from "vitest";
import { quietPort } from "../harness/quiet-port.ts";
import { hang, Receiver, type Target } from "../harness/receiver.ts";
import { OwnService } from "../harness/service.ts";
import type { Claimed, Job, Schedule, Tenant } from "../harness/tenant.ts";

const service = new OwnService({ port: await quietPort() });
let receiver: Receiver;
let tenant: Tenant;
beforeAll(async () => {
  [receiver] = await Promise.all([Receiver.listen(), service.ready()]);
  tenant = await service.newTenant();
});
afterAll(() => Promise.all([service.stop(), receiver?.close()]));

/** The watch ring of a push whose instance died (domain/timer.ts), or the sweeper before it, and a backoff. */
const WATCHED_MS = 60_000;

const inSeconds = (value: number) => ({ delay: { value, unit: "second" } });

/** Asks under a key of its own: those who wait ask often. */
const asker = () => tenant.anotherKey();

interface Pushed {
  readonly job: Job;
  readonly target: Target;
}

async function pushed(target: Target, more: object = {}): Promise<Pushed> {
  return { target, job: await tenant.create({ ...target.delivery(), ...more }) };
}

async function expectDelivered({ job, target }: Pushed, executions: object[], limitMs?: number): Promise<void> {
  const client = await asker();
  await client.whenIt("completed", job.id, limitMs);
  expect(await client.executions(job.id)).toMatchObject(executions);
  expect(target.deliveries.map(({ json }) => json.attempt)).toEqual(executions.map((_, i) => i + 1));
}

async function complete(claimed: Claimed): Promise<void> {
  expect((await tenant.say("complete", claimed, { result: claimed.attempt })).status).toBe(200);
}

it("loses nothing and repeats only what was in flight", async () => {
  const refusing = (seconds: number) =>
    receiver.target((response) => response.writeHead(503, { "Retry-After": `${seconds}` }).end(), 200);
  const interval = { name: "every second", handler: "tick", interval: { value: 1, unit: "second" }, runs: 12 };
  const [schedule, done, asked, unasked, retrying, retryingLong, dueMeanwhile, dueLater, queued, held, silent] =
    await Promise.all([
      tenant.post<Schedule>("/v1/schedules", interval),
      pushed(receiver.target()),
      pushed(receiver.target(hang, 200), { max_retries: 0, timeout: 300 }),
      pushed(receiver.target(hang, 200), { max_retries: 0, timeout: 300 }),
      pushed(refusing(6)),
      pushed(refusing(12)),
      pushed(receiver.target(), inSeconds(4)),
      pushed(receiver.target(), inSeconds(10)),
      tenant.create({ handler: "queued" }),
      tenant.create({ handler: "held", timeout: 60, max_retries: 0 }),
      tenant.create({ handler: "silent", timeout: 6 }),
    ]);
  const waits = [retrying, retryingLong].map(({ job }) => tenant.whenIt("retrying", job.id));
  const [heldClaim] = await Promise.all([
    tenant.mustClaim("held"),
    tenant.mustClaim("silent"),
    tenant.whenIt("queued", queued.id),
    tenant.whenIt("completed", done.job.id),
    asked.target.receives(),
    unasked.target.receives(),
    ...waits,
  ]);

  await service.crash();

  const INTERRUPTED = [
    { status: "interrupted", error: { code: "platform" } },
    { status: "completed", trigger: "system_retry" },
  ];
  const RETRIED = [
    { status: "failed", response: { status: 503 } },
    { status: "completed", trigger: "system_retry" },
  ];
  const survives = [
    async function whatWasDone() {
      expect((await tenant.job(done.job.id)).status).toBe("completed");
    },
    async function anInterruptedPushSomebodyAsksFor() {
      await expectDelivered(asked, INTERRUPTED);
      expect((await tenant.job(asked.job.id)).max_retries).toBe(0);
    },
    async function anInterruptedPushNobodyAsksFor() {
      await unasked.target.receives(2, WATCHED_MS);
      await expectDelivered(unasked, INTERRUPTED);
    },
    () => expectDelivered(retrying, RETRIED),
    () => expectDelivered(retryingLong, RETRIED),
    () => expectDelivered(dueMeanwhile, [{ status: "completed" }]),
    () => expectDelivered(dueLater, [{ status: "completed" }]),
    async function aQueuedJob() {
      const claimed = await tenant.mustClaim("queued");
      expect(claimed).toMatchObject({ job_id: queued.id, attempt: 1 });
      await complete(claimed);
    },
    async function aClaimedJobWhoseWorkerLives() {
      expect((await tenant.say("heartbeat", heldClaim)).status).toBe(200);
      await complete(heldClaim);
      expect(await tenant.job(held.id)).toMatchObject({ status: "completed", attempts: 1 });
    },
    async function aClaimedJobWhoseWorkerIsSilent() {
      const claimed = await tenant.mustClaim("silent");
      expect(claimed).toMatchObject({ job_id: silent.id, attempt: 2 });
      await complete(claimed);
      expect(await tenant.executions(silent.id)).toMatchObject([{ status: "timed_out" }, { status: "completed" }]);
    },
    async function aSchedule() {
      const worker = await asker();
      const ticks: string[] = [];
      while (ticks.length < 12) {
        const claimed = await worker.mustClaim("tick");
        ticks.push(claimed.scheduled_for);
        await worker.say("complete", claimed);
      }
      expect(new Set(ticks).size).toBe(12);
      const { missed_runs } = await worker.get<Schedule>(`/v1/schedules/${schedule.id}`);
      const newest = Math.max(...ticks.map((tick) => Date.parse(tick)));
      expect(newest - Date.parse(schedule.created_at)).toBe((12 + missed_runs) * 1_000);
    },
  ];
  await Promise.all(survives.map((check) => check()));

  for (const { target, job } of [done, asked, unasked, retrying, retryingLong, dueMeanwhile, dueLater]) {
    const executions = await (await asker()).executions(job.id);
    expect(executions.map(({ id }) => id)).toEqual(target.deliveries.map(({ json }) => json.execution_id));
  }
});
