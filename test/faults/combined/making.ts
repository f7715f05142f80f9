// Forty accounts that make their jobs, each at its own pace: singly and in batches, all under keys. Some hang up before they are
// answered, some ask twice; an account whose database does not answer tries again until it does.

import { setTimeout as sleep } from "node:timers/promises";
import type { Receiver } from "../../harness/receiver.ts";
import { Chance } from "../harness/chance.ts";
import type { PatientTenant } from "../harness/patient-tenant.ts";
import { type Accepted, cancel, type Kind, orderOf } from "../process/load.ts";

/** A job that was answered 201, and the request that made it. */
export interface Made extends Accepted {
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** A request for jobs, as it was answered. */
export interface Asked {
  readonly tenant: PatientTenant;
  readonly status: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** As often as it stands here. */
const KINDS: readonly Kind[] = [
  ...Array<Kind>(5).fill("push"),
  ...Array<Kind>(8).fill("push later"),
  ...Array<Kind>(3).fill("pull"),
  ...(["push retried", "push slow", "pull retried", "cancelled"] as const),
];

const SIZES = [1, 1, 1, 1, 1, 1, 1, 1, 1, 10, 25, 40] as const;

/** Seconds: so some are due long after the process that has made them has died. */
const DELAYS = [1, 40] as const;

/** While so many deliveries are overdue no more jobs are made: a busy machine is not buried under jobs it has no time for. */
const MAX_OVERDUE = 200;
const LOOK_EVERY_MS = 250;
/** An account that was held up makes its jobs so much faster afterwards. */
const CATCHES_UP = 2;

const HANG_UP_PERCENT = 5;
const HANG_UP_MS = [1, 60] as const;
const REPEAT_PERCENT = 5;
const CANCEL_WITHIN_MS = 1_500;

interface JobJson {
  readonly id: string;
  readonly scheduled_for: string;
}

interface Entry {
  readonly status: number;
  readonly job: JobJson;
}

export class Making {
  readonly made: Made[] = [];
  readonly asked: Asked[] = [];
  readonly faults: string[] = [];
  readonly #receiver: Receiver;
  readonly #awaited = new Set<Made>();
  #overdue = { at: 0, count: 0 };

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** Makes so many jobs for the account, spread over this time; longer if it is refused meanwhile. */
  async fill(tenant: PatientTenant, jobs: number, withinMs: number, seed: number): Promise<void> {
    const chance = new Chance(seed);
    const beganAt = Date.now();
    const everyMs = withinMs / jobs;
    const cancelling: Promise<void>[] = [];
    for (let made = 0; made < jobs; ) {
      const size = Math.min(chance.pick(SIZES), jobs - made);
      cancelling.push(...(await this.#make(tenant, chance, made, size)));
      made += size;
      await sleep(Math.max((size * everyMs) / CATCHES_UP, beganAt + made * everyMs - Date.now()));
      while (this.#countOverdue() > MAX_OVERDUE) await sleep(LOOK_EVERY_MS);
    }
    await Promise.all(cancelling);
  }

  #countOverdue(): number {
    const now = Date.now();
    if (now < this.#overdue.at + LOOK_EVERY_MS) return this.#overdue.count;
    for (const job of this.#awaited) if (job.target?.deliveries.length !== 0) this.#awaited.delete(job);
    const count = [...this.#awaited].filter(({ scheduledFor }) => scheduledFor < now).length;
    this.#overdue = { at: now, count };
    return count;
  }

  /** @returns what is still to be cancelled */
  async #make(tenant: PatientTenant, chance: Chance, first: number, size: number): Promise<Promise<void>[]> {
    const orders = Array.from({ length: size }, () => {
      const kind = chance.pick(KINDS);
      return { kind, ...orderOf(kind, this.#receiver, chance, DELAYS) };
    });
    // Each account uses the same keys as all others.
    const jobs = orders.map(({ body }, n) => ({ ...body, idempotency_key: `combined-${first + n}` }));
    const { entries, askedAt } = await this.#ask(tenant, chance, jobs);
    const answeredAt = Date.now();
    return orders.flatMap(({ kind, target }, n) => {
      const { id, scheduled_for } = entries[n]?.job ?? {};
      if (!id || !scheduled_for) {
        this.faults.push("an answer to a batch has fewer jobs than were asked for");
        return [];
      }
      const job = { id, tenant, kind, target, scheduledFor: Date.parse(scheduled_for), askedAt, answeredAt };
      const accept = (cancelledAt: number | null) => {
        const made = { ...job, cancelledAt };
        this.made.push(made);
        if (cancelledAt === null) this.#awaited.add(made);
      };
      const refuse = (error: Error) => {
        this.faults.push(error.message);
        accept(null);
      };
      if (kind === "cancelled") return [cancel(tenant, id, chance.between(0, CANCEL_WITHIN_MS)).then(accept, refuse)];
      accept(null);
      return [];
    });
  }

  async #ask(
    tenant: PatientTenant,
    chance: Chance,
    jobs: readonly object[],
  ): Promise<{ entries: readonly Entry[]; askedAt: number }> {
    const [path, body] = jobs.length === 1 ? ["/v1/jobs", jobs[0]] : ["/v1/jobs/batch", { jobs }];
    const firstAskedAt = Date.now();
    let mayExist = chance.happens(HANG_UP_PERCENT);
    if (mayExist) await tenant.hangUp("POST", path, body, chance.between(...HANG_UP_MS));
    for (;;) {
      const askedAt = Date.now();
      const answer = await tenant.call<JobJson | Entry[]>("POST", path, body);
      const { status } = answer;
      this.asked.push({ tenant, status, askedAt, answeredAt: Date.now() });
      mayExist ||= answer.tries > 1 || status === 503;
      if (status === 503) {
        await sleep(1_000);
        continue;
      }
      if (status !== 201 && !(mayExist && (status === 200 || status === 409)))
        throw new Error(`jobs were answered ${status}: ${JSON.stringify(answer.body)}`);
      const entries = entriesOf(status, answer.body.data);
      if (!mayExist && entries.some((entry) => entry.status !== 201))
        this.faults.push("a new job was answered as one that is there already");
      if (chance.happens(REPEAT_PERCENT)) await this.#repeat(tenant, path, body, entries);
      return { entries, askedAt: firstAskedAt };
    }
  }

  /** Asked for again they are the same jobs. */
  async #repeat(tenant: PatientTenant, path: string, body: unknown, entries: readonly Entry[]): Promise<void> {
    const { status, body: answer } = await tenant.call<JobJson | Entry[]>("POST", path, body);
    if (status === 503) return; // its database, or its move, holds it up
    const again = entriesOf(status, answer.data);
    const isSame = again.length === entries.length && again.every(({ job }, n) => job.id === entries[n]?.job.id);
    if (!isSame || again.some((entry) => entry.status !== 409))
      this.faults.push(`jobs that were asked for again were answered ${status}, or as other jobs`);
  }
}

const entriesOf = (status: number, data: JobJson | Entry[]): readonly Entry[] =>
  Array.isArray(data) ? data : [{ status, job: data }];
