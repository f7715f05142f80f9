// An account with as many keys as its share of the load needs: each key stays below its rate limit, and a request whose
// connection broke, because the service was killed, is sent again.

import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../harness/service.ts";
import type { Answer, Envelope, Tenant } from "../../harness/tenant.ts";

/** The contract allows 100 and 1,000 in ten seconds; a fixed window and ours may lie differently. */
const LIMITS = { api: 45, worker: 450 } as const;
const WINDOW_MS = 5_000;
const GIVE_UP_MS = 120_000;

export interface TriedAnswer<T = unknown> extends Answer<T> {
  /** How often it was sent: more than once means that an earlier try may have got through. */
  readonly tries: number;
}

class Key {
  readonly owner: Tenant;
  #usedAt: Record<keyof typeof LIMITS, number[]> = { api: [], worker: [] };

  constructor(owner: Tenant) {
    this.owner = owner;
  }

  take(kind: keyof typeof LIMITS): boolean {
    const now = Date.now();
    const recent = this.#usedAt[kind].filter((at) => at > now - WINDOW_MS);
    this.#usedAt[kind] = recent;
    if (recent.length >= LIMITS[kind]) return false;
    recent.push(now);
    return true;
  }
}

export class PatientTenant {
  readonly id: string;
  readonly signingSecret: string;
  readonly #keys: readonly Key[];

  private constructor(tenant: Tenant, others: readonly Tenant[]) {
    this.id = tenant.id;
    this.signingSecret = tenant.signingSecret;
    this.#keys = [tenant, ...others].map((owner) => new Key(owner));
  }

  /** @param database where it lives; the service decides unless told */
  static async make(service: Service, name: string, keys: number, database?: number): Promise<PatientTenant> {
    const tenant = await service.newTenant(name, database);
    return new PatientTenant(tenant, await tenant.moreKeys(keys - 1));
  }

  /** What must never be seen in a log. */
  get secrets(): string[] {
    return [this.signingSecret, ...this.#keys.map(({ owner }) => owner.apiKey)];
  }

  /** Sends a request until it is answered. Only 429 and a broken connection are tried again. */
  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TriedAnswer<T>> {
    const deadline = Date.now() + GIVE_UP_MS;
    for (let tries = 1; ; tries++) {
      const answer = await this.#send<T>(method, path, body, headers).catch(() => null);
      if (answer !== null && answer.status !== 429) return { ...answer, tries };
      if (Date.now() > deadline) throw new Error(`${method} ${path} was not answered in ${GIVE_UP_MS / 1_000} s`);
      await sleep(answer === null ? 100 : 500);
    }
  }

  /** What is there to be read: asked again while a database does not answer, or the account moves. */
  async get<T>(path: string): Promise<Envelope<T>> {
    const deadline = Date.now() + GIVE_UP_MS;
    for (;;) {
      const { status, body } = await this.call<T>("GET", path);
      if (status === 200) return body;
      if (status !== 503 || Date.now() > deadline) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
      await sleep(500);
    }
  }

  /** Sends a request and does not wait for its answer for longer than this. */
  async hangUp(method: string, path: string, body: unknown, afterMs: number): Promise<void> {
    const { owner } = await this.#free("api");
    await owner.call(method, path, body, AbortSignal.timeout(afterMs)).catch(() => null);
  }

  async #send<T>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> | undefined,
  ): Promise<Answer<T>> {
    const { owner } = await this.#free(path.startsWith("/v1/worker/") ? "worker" : "api");
    return owner.call<T>(method, path, body, AbortSignal.timeout(30_000), headers);
  }

  async #free(kind: keyof typeof LIMITS): Promise<Key> {
    for (;;) {
      const free = this.#keys.find((key) => key.take(kind));
      if (free) return free;
      await sleep(50);
    }
  }
}
