// The load under which the process is killed: jobs of every kind, created, retried, cancelled and claimed at the same time.

import { setTimeout as sleep } from "node:timers/promises";
import type { Receiver, Reply, Target } from "../../harness/receiver.ts";
import type { Chance } from "../harness/chance.ts";
import type { PatientTenant } from "../harness/patient-tenant.ts";

export type Kind = "push" | "push later" | "push retried" | "push slow" | "pull" | "pull retried" | "cancelled";

/** A job the service said 201 to. */
export interface Accepted {
  readonly id: string;
  readonly tenant: PatientTenant;
  readonly kind: Kind;
  readonly scheduledFor: number;
  /** Where it is pushed to; null of one that is pulled. */
  readonly target: Target | null;
  /** When the answer to its cancellation came, and that it was accepted. */
  readonly cancelledAt: number | null;
}

const KINDS: readonly Kind[] = ["push", "push later", "push retried", "push slow", "pull", "pull retried", "cancelled"];

/** Seconds a pull worker's lease lasts: one that a crash has cut off is over soon. */
const LEASE_SECONDS = 6;

/** A job's shortest and longest delay in seconds, where it has one. */
type Delays = readonly [number, number];

const DELAYS: Delays = [1, 4];

/** So many at a time: a machine that is busy elsewhere is not buried under jobs it has no time for. */
const MAX_UNDERWAY = 40;

export class Load {
  readonly accepted: Accepted[] = [];
  readonly #tenants: readonly PatientTenant[];
  readonly #receiver: Receiver;
  readonly #chance: Chance;
  #made = 0;

  constructor(tenants: readonly PatientTenant[], receiver: Receiver, chance: Chance) {
    this.#tenants = tenants;
    this.#receiver = receiver;
    this.#chance = chance;
  }

  /** Makes jobs until the moment has come, so many in a second. */
  async run(perSecond: number, until: () => boolean): Promise<void> {
    const made = new Set<Promise<void>>();
    while (!until()) {
      if (made.size < MAX_UNDERWAY) {
        const making = this.#make().finally(() => made.delete(making));
        made.add(making);
      }
      await sleep(1_000 / perSecond);
    }
    await Promise.all(made);
  }

  async #make(): Promise<void> {
    const number = ++this.#made;
    const kind = this.#chance.pick(KINDS);
    const tenant = this.#chance.pick(this.#tenants);
    const { body, target } = orderOf(kind, this.#receiver, this.#chance);
    const cancelAfterMs = this.#chance.between(0, 1_500);
    const job = await create(tenant, { ...body, idempotency_key: `faults-${number}` });
    const cancelledAt = kind === "cancelled" ? await cancel(tenant, job.id, cancelAfterMs) : null;
    this.accepted.push({ id: job.id, tenant, kind, scheduledFor: Date.parse(job.scheduled_for), target, cancelledAt });
  }
}

export interface Order {
  readonly body: object;
  /** Where it is pushed to; null of one that is pulled. */
  readonly target: Target | null;
}

/** A job of this kind, as it is asked for. */
export function orderOf(kind: Kind, receiver: Receiver, chance: Chance, delays = DELAYS): Order {
  const payload = { canary: "canary-payload", work_ms: chance.between(0, 800), fails: 0 };
  const delay = { value: chance.between(...delays), unit: "second" };
  const pushed = (replies: readonly Reply[], more: object = {}) => {
    const target = receiver.target(...replies);
    return {
      target,
      body: { name: kind, payload, ...target.delivery("POST", { "x-canary": "canary-header" }), ...more },
    };
  };
  const pulled = (fails: number) => {
    const more = { handler: "work", timeout: LEASE_SECONDS, max_retries: 20 };
    return { target: null, body: { name: kind, payload: { ...payload, fails }, ...more } };
  };
  switch (kind) {
    case "push":
      return pushed([200]);
    case "push later":
      return pushed([okAfter(20)], { delay });
    case "push retried":
      return pushed([500, 500, 200], { max_retries: 10 });
    case "push slow":
      return pushed([okAfter(chance.between(500, 2_500))], { delay });
    case "pull":
      return pulled(0);
    case "pull retried":
      return pulled(1);
    case "cancelled":
      return pushed([200], { delay: { value: 3, unit: "second" } });
  }
}

const okAfter =
  (ms: number): Reply =>
  (response) =>
    void setTimeout(() => response.writeHead(200).end(), ms);

interface JobJson {
  readonly id: string;
  readonly scheduled_for: string;
}

/** A 409 after a try whose answer was lost is that try's job. */
async function create(tenant: PatientTenant, body: object): Promise<JobJson> {
  for (;;) {
    const { status, body: answer, tries } = await tenant.call<JobJson>("POST", "/v1/jobs", body);
    if (status === 201 || (status === 409 && tries > 1)) return answer.data;
    if (status !== 503) throw new Error(`a job was refused: ${status} ${JSON.stringify(answer)}`);
    await sleep(500);
  }
}

/** @returns when the service said that no attempt will start; null when the job was quicker */
export async function cancel(tenant: PatientTenant, id: string, afterMs: number): Promise<number | null> {
  await sleep(afterMs);
  for (let isFirst = true; ; isFirst = false) {
    const { status, tries } = await tenant.call("POST", `/v1/jobs/${id}/cancel`);
    const now = Date.now();
    if (status === 200) return now;
    if (status === 409 && tries === 1 && isFirst) return null;
    if (status === 409)
      return (await tenant.get<{ status: string }>(`/v1/jobs/${id}`)).data.status === "cancelled" ? now : null;
    if (status !== 503) throw new Error(`${id} was not cancelled: ${status}`);
    await sleep(500);
  }
}
