// What the people of a world asked for, what they were answered, and what reached their targets and workers: the facts that the
// judge holds against the contract. Nothing in it comes from the service's code.

import type { Arrival } from "../platform/platform.ts";
import type { FlowFacts } from "./flows.ts";

/** An account and what its people know. */
export interface Tenant {
  readonly name: string;
  id: string;
  key: string;
  /** The number of the database it lives in. */
  database: number;
  /** Somebody moves it from one to another. */
  moves: boolean;
  /** Host of its targets. */
  readonly host: string;
  readonly handler: string;
  /** Each secret it was told, from then on until the moment it stopped to count. */
  readonly secrets: { readonly secret: string; validUntil: number }[];
  /** Stretches in which the operator had suspended it, as far as that was answered. */
  readonly suspensions: { readonly from: number; until: number }[];
  deletedAt: number | null;
  /** The webhook of its whole life, if there is one. */
  webhookSince: number | null;
  /** When the last delivery to it was over, and whether it was taken. */
  lastEvent: { readonly at: number; readonly isTaken: boolean } | null;
  /** The events it asks for. */
  hears: readonly string[];
  /** What somebody has done to all its jobs at once: also to those that nobody knew of. */
  readonly bulk: Set<"cancel" | "retry" | "run" | "delete">;
  /** When somebody last did. */
  bulkAskedAt: number;
}

/** One creation that somebody asked for. Its number travels in the payload. */
export interface Wish {
  readonly n: number;
  readonly tenant: Tenant;
  readonly kind: "push" | "pull";
  readonly askedAt: number;
  /** `unknown`: no answer told. */
  outcome: "open" | "made" | "refused" | "unknown";
  job: JobFacts | null;
  /** What its body says of these. */
  flow: string | null;
  timeoutMs: number;
  mayExpire: boolean;
}

/** One start of an attempt, as its target or its worker saw it. */
export interface Start {
  readonly at: number;
  readonly executionId: string;
  readonly attempt: number;
  /** Until when its worker may hold it; a push: until its answer. */
  heldUntil: number;
  /** What came of it, as far as target or worker know. */
  outcome: "open" | "reporting" | "completed" | "failed" | "final" | "silent";
  /** A worker's: when its report was accepted. */
  acceptedAt: number | null;
  /** A push: when its answer or its timeout came. A worker's: when it sent its report. null: it may still run. */
  endedAt: number | null;
}

/** A job whose id somebody knows. */
export interface JobFacts {
  readonly id: string;
  readonly tenant: Tenant;
  readonly kind: "push" | "pull" | "schedule";
  readonly maxRetries: number;
  /** When its creation was answered; null: nobody knows that it was. */
  readonly knownAt: number | null;
  /** Its creation was repeated, and the repeat was told of it: the first try may have made it without an answer, and armed nobody. */
  wasFound: boolean;
  /** No start is allowed before. Moves with changes. */
  notBefore: number;
  /** Changes that are asked for and not answered: then nothing is known of its time. */
  unsettled: number;
  /** Somebody has changed it. */
  changedAt: number | null;
  cancelledAt: number | null;
  /** Somebody asked for it and may have been heard. */
  cancelAsked: boolean;
  /** A run of it was answered, and nothing was asked for since. */
  ranAt: number | null;
  /** A manual retry or run was asked for since. */
  revivedAt: number;
  deletedAt: number | null;
  /** Somebody asked for its deletion and may have been heard. */
  mayBeDeleted: boolean;
  /** Manual retries that were accepted; null: nobody knows how many. */
  retries: number | null;
  /** The wish that took its place last, as far as that was answered. */
  replacedBy: number | null;
  /** The key under which it is replaced again and again. */
  key: string | null;
  /** The ends that it wants to be called for. */
  calls: readonly string[];
  readonly starts: Start[];
  /** A worker's accepted completion. */
  completedBy: string | null;
  /** The flow whose limits its attempts share. */
  flow: string | null;
  /** When it was edited into it; null: it was made in it. */
  flowSince: number | null;
  timeoutMs: number;
  mayExpire: boolean;
}

/** A schedule whose id is known. */
export interface ScheduleFacts {
  readonly id: string;
  readonly tenant: Tenant;
  readonly n: number;
  readonly createdAt: number;
  readonly everyMs: number | null;
  /** Jobs that a person triggered, by id. */
  readonly triggered: Set<string>;
  /** A trigger whose answer is not known. */
  mayHaveMore: boolean;
  /** Job by scheduled time. */
  readonly ticks: Map<string, string>;
  /** Of the jobs it makes. */
  readonly flow: string | null;
  isPlain: boolean;
  archivedAt: number | null;
}

/** A breaker's event, as a webhook was told it. */
export interface FlowEvent {
  readonly jobId: string;
  readonly tenant: Tenant;
  readonly key: string;
  readonly type: string;
  readonly at: number;
}

export interface EventSeen {
  readonly jobId: string;
  readonly type: string;
  /** The job it tells of. */
  readonly about: string;
  readonly status: string;
}

export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export class Ledger {
  readonly tenants: Tenant[] = [];
  readonly wishes: Wish[] = [];
  readonly jobs = new Map<string, JobFacts>();
  readonly schedules: ScheduleFacts[] = [];
  readonly violations: Violation[] = [];
  /** Distinct events that reached a webhook, by the id of the job that carried them. */
  readonly events = new Map<string, EventSeen>();
  readonly flowEvents: FlowEvent[] = [];
  /** By tenant and key. */
  readonly flows = new Map<string, FlowFacts>();
  /** The same of callbacks. */
  readonly calls = new Map<string, EventSeen>();
  /** Until when a worker has asked for a handler, by tenant and handler. */
  readonly polls = new Map<string, number>();
  /** When an object died, by its name. */
  readonly deaths = new Map<string, number[]>();
  /** Which isolate has served which tenant: it knows that key. */
  readonly servedBy = new Set<string>();
  /** Objects whose alarm was lost, by name. */
  readonly lostAlarms = new Set<string>();
  /** Jobs that a named queue has brought to its consumer. */
  readonly consumed = new Set<string>();
  readonly #now: () => number;
  readonly #skewMs: number;

  /** @param skewMs by how much two clocks may differ */
  constructor(now: () => number, skewMs = 0) {
    this.#now = now;
    this.#skewMs = skewMs;
  }

  violated(rule: string, what: string): void {
    if (this.violations.length < 50)
      this.violations.push({ rule, what: `${new Date(this.#now()).toISOString()} ${what}` });
  }

  wish(tenant: Tenant, kind: Wish["kind"]): Wish {
    const wish: Wish = {
      n: this.wishes.length,
      tenant,
      kind,
      askedAt: this.#now(),
      outcome: "open",
      job: null,
      flow: null,
      timeoutMs: 30_000,
      mayExpire: false,
    };
    this.wishes.push(wish);
    return wish;
  }

  made(wish: Wish, id: string, notBefore: number, maxRetries: number): JobFacts {
    wish.outcome = "made";
    const job = this.#job(id, wish.tenant, wish.kind, notBefore, maxRetries, this.#now());
    wish.job = job;
    if (job.starts.length === 0) tellOf(job, wish);
    const { bulk, bulkAskedAt } = wish.tenant;
    if (wish.askedAt <= bulkAskedAt + this.#skewMs) {
      // Its creation was under way, or by its clock it was made before: nobody knows if it was met.
      job.unsettled += 1;
      job.retries = null;
      job.cancelAsked ||= bulk.has("cancel");
      job.mayBeDeleted ||= bulk.has("delete");
    }
    return job;
  }

  /** A job that a schedule has made, or an answer that was lost. */
  met(id: string, tenant: Tenant, kind: JobFacts["kind"], notBefore: number, maxRetries: number): JobFacts {
    return this.jobs.get(id) ?? this.#job(id, tenant, kind, notBefore, maxRetries, null);
  }

  #job(
    id: string,
    tenant: Tenant,
    kind: JobFacts["kind"],
    notBefore: number,
    maxRetries: number,
    knownAt: number | null,
  ): JobFacts {
    const known = this.jobs.get(id);
    if (known) return known;
    const { bulk } = tenant;
    const isMet = knownAt === null && bulk.size > 0;
    const job: JobFacts = {
      id,
      tenant,
      kind,
      maxRetries,
      knownAt,
      wasFound: false,
      notBefore,
      unsettled: isMet ? 1 : 0,
      changedAt: null,
      cancelledAt: null,
      cancelAsked: isMet && bulk.has("cancel"),
      ranAt: null,
      revivedAt: 0,
      deletedAt: null,
      mayBeDeleted: isMet && bulk.has("delete"),
      retries: isMet ? null : 0,
      replacedBy: null,
      key: null,
      calls: [],
      starts: [],
      completedBy: null,
      flow: null,
      flowSince: null,
      timeoutMs: 30_000,
      mayExpire: false,
    };
    this.jobs.set(id, job);
    return job;
  }

  /** The flow of a job, if anybody keeps one of that name. */
  flowOf({ tenant, flow }: JobFacts): FlowFacts | undefined {
    return flow === null ? undefined : this.flows.get(`${tenant.name} ${flow}`);
  }

  mayBeCancelled(job: JobFacts): boolean {
    return job.cancelAsked;
  }

  died(name: string, at: number): void {
    const known = this.deaths.get(name);
    if (known) known.push(at);
    else this.deaths.set(name, [at]);
  }
}

/** What the wish said of it. */
export function tellOf(job: JobFacts, { flow, timeoutMs, mayExpire }: Wish): void {
  Object.assign(job, { flow, timeoutMs, mayExpire });
}

/** The JSON of a push's body. */
// biome-ignore lint/suspicious/noExplicitAny: whatever JSON says
export const bodyOf = (push: Arrival): any => (push.body === "" ? {} : JSON.parse(push.body));
