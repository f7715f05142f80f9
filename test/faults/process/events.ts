// The process dies while jobs end and their events are made and delivered: each end has exactly one event, and all of them arrive.
// An event may arrive more than once; its id tells.

import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { type Delivery, Receiver } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { p99 } from "../harness/table.ts";
import type { Part } from "../part.ts";

export interface EventsPlan {
  readonly jobs: number;
  readonly kills: number;
}

/** The jobs are due within this time, and the kills are spread over it. */
const SPREAD_SECONDS = 15;
const BATCH = 100;

/** As for jobs: a row that nobody armed waits for the minute's sweep, and backoffs follow. */
const RECOVERY_MS = 180_000;

interface EventJson {
  readonly type: string;
  readonly timestamp: string;
  readonly data: { readonly id: string; readonly status: string };
}

/** An event as it arrived. */
interface Arrived extends EventJson {
  readonly eventId: string;
  readonly at: number;
}

export async function announceUnderKills(service: Service, plan: EventsPlan, seed: number): Promise<Part> {
  const chance = new Chance(seed);
  const receiver = await Receiver.listen();
  const tenant = await PatientTenant.make(service, "events", 8);
  const hook = receiver.target(200);
  const wants = { url: hook.url, events: ["job.failed", "job.completed"] };
  const webhook = await tenant.call<{ id: string }>("POST", "/v1/webhooks", wants);
  const targets = { completed: receiver.target(200), failed: receiver.target(400) };
  const faults: string[] = [];
  if (webhook.status !== 201) faults.push(`the webhook was answered ${webhook.status}`);

  const wanted = new Map<string, "completed" | "failed">();
  const making = makeJobs(tenant, plan.jobs, chance, targets, wanted);
  for (let kill = 0; kill < plan.kills; kill++) {
    await sleep((SPREAD_SECONDS * 1_000) / plan.kills);
    await crash(service);
  }
  await making;

  const arrived = () => hook.deliveries.map(arrivedOf);
  const idsOf = (all: readonly Arrived[]) => new Set(all.map(({ eventId }) => eventId));
  await holdsWithin(RECOVERY_MS, () => idsOf(arrived()).size >= plan.jobs, 500);
  await sleep(2_000); // for one too many
  await receiver.close();

  const all = arrived();
  const ids = idsOf(all);
  const missing = [...wanted].filter(
    ([id, end]) => !all.some(({ type, data }) => data.id === id && type === `job.${end}`),
  );
  faults.push(...missing.map(([id, end]) => `no event says that ${id} has ${end}`));
  if (ids.size !== plan.jobs) faults.push(`${plan.jobs} jobs have ended with ${ids.size} events`);
  faults.push(...contradictions(all, wanted), ...unsigned(hook.deliveries, tenant.signingSecret));
  const listed = await tenant.call("GET", `/v1/jobs?origin=event&tag=webhook:${webhook.body.data.id}&size=1`);
  if (listed.body.meta.paging.total !== plan.jobs) faults.push(`${listed.body.meta.paging.total} events are listed`);
  return {
    rows: [
      {
        fault: `SIGKILL, ${plan.kills} times: events of ends`,
        jobs: plan.jobs,
        delivered: ids.size,
        lost: missing.length,
        duplicated: all.length - ids.size,
        early: 0,
        lateP99Ms: p99(all.map(({ at, timestamp }) => at - Date.parse(timestamp))),
      },
    ],
    faults: faults.map((fault) => `events: ${fault}`),
    secrets: tenant.secrets,
  };
}

const arrivedOf = ({ json, headers, at }: Delivery): Arrived => ({
  ...(json as unknown as EventJson),
  eventId: String(headers["webhook-id"]),
  at,
});

type Targets = Record<"completed" | "failed", ReturnType<Receiver["target"]>>;

/** In batches whose keys make a repetition safe. */
async function makeJobs(
  tenant: PatientTenant,
  count: number,
  chance: Chance,
  targets: Targets,
  wanted: Map<string, "completed" | "failed">,
): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const ends = Array.from({ length: Math.min(BATCH, count - first) }, () =>
      chance.pick(["completed", "failed"] as const),
    );
    const jobs = ends.map((end, n) => ({
      name: end,
      delay: { value: chance.between(1, SPREAD_SECONDS), unit: "second" },
      idempotency_key: `event-${first + n}`,
      ...targets[end].delivery(),
    }));
    for (;;) {
      const { status, body } = await tenant.call<{ job: { id: string } }[]>("POST", "/v1/jobs/batch", { jobs });
      if (status === 503) await sleep(500);
      else {
        for (const [n, { job }] of body.data.entries()) wanted.set(job.id, ends[n] ?? "failed");
        break;
      }
    }
  }
}

/** One id speaks of one end, and one end has one id. */
function contradictions(all: readonly Arrived[], wanted: ReadonlyMap<string, string>): string[] {
  const said = new Map<string, string>();
  const ids = new Map<string, string>();
  return all.flatMap(({ eventId, type, data }) => {
    const speaks = `${type} ${data.id}`;
    const faults = [
      ...(wanted.get(data.id) === data.status && type === `job.${data.status}`
        ? []
        : [`${speaks} is not what happened`]),
      ...((said.get(eventId) ?? speaks) === speaks ? [] : [`${eventId} speaks of ${speaks} and ${said.get(eventId)}`]),
      ...((ids.get(speaks) ?? eventId) === eventId
        ? []
        : [`${speaks} has the events ${eventId} and ${ids.get(speaks)}`]),
    ];
    said.set(eventId, speaks);
    ids.set(speaks, eventId);
    return faults;
  });
}

/** The library judges by the clock: what it is given is young enough. */
function unsigned(deliveries: readonly Delivery[], secret: string): string[] {
  const judge = new Webhook(secret);
  const refused = deliveries.filter(({ headers, body }) => {
    try {
      judge.verify(body, headers as Record<string, string>);
      return false;
    } catch {
      return true;
    }
  });
  return refused.length === 0 ? [] : [`${refused.length} events were not signed as they should be`];
}
