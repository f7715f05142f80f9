// An account with as many keys as its share of the load needs: each key stays below its rate limit, and a request whose
// connection broke, because the service was killed, is sent again.

import type { Service } from "./service.ts";
import { sleep } from "./wait.ts";

/** The contract allows 100 and 1,000 in ten seconds; a fixed window and ours may lie differently. */
const LIMITS = { api: 45, worker: 450 } as const;
const WINDOW_MS = 5_000;
const GIVE_UP_MS = 120_000;

export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: { success: boolean; message: string; data: T; code: string; errors: unknown[]; meta: Meta };
  /** How often it was sent: more than once means that an earlier try may have got through. */
  readonly tries: number;
}

interface Meta {
  readonly paging: { readonly total: number };
}

class Key {
  readonly secret: string;
  #usedAt: Record<keyof typeof LIMITS, number[]> = { api: [], worker: [] };

  constructor(secret: string) {
    this.secret = secret;
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

export class Tenant {
  readonly id: string;
  readonly signingSecret: string;
  readonly #service: Service;
  readonly #keys: Key[];

  private constructor(service: Service, id: string, signingSecret: string, keys: Key[]) {
    this.#service = service;
    this.id = id;
    this.signingSecret = signingSecret;
    this.#keys = keys;
  }

  static async make(service: Service, name: string, keys: number): Promise<Tenant> {
    const admin = new Tenant(service, "", "", [new Key(service.adminToken)]);
    type Made = { id: string; api_key: string; signing_secret: string };
    const { data } = (await admin.call<Made>("POST", "/v1/admin/accounts", { name })).body;
    const tenant = new Tenant(service, data.id, data.signing_secret, [new Key(data.api_key)]);
    for (let i = 1; i < keys; i++) {
      const made = await tenant.call<{ key: string }>("POST", "/v1/api-keys", { name: `key ${i}` });
      tenant.#keys.push(new Key(made.body.data.key));
    }
    return tenant;
  }

  /** What must never be seen in a log. */
  get secrets(): string[] {
    return [this.signingSecret, ...this.#keys.map(({ secret }) => secret)];
  }

  /** Sends a request until it is answered. Only 429 and a broken connection are tried again. */
  async call<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const deadline = Date.now() + GIVE_UP_MS;
    for (let tries = 1; ; tries++) {
      const answer = await this.#send<T>(method, path, body).catch(() => null);
      if (answer !== null && answer.status !== 429) return { ...answer, tries };
      if (Date.now() > deadline) throw new Error(`${method} ${path} was not answered in ${GIVE_UP_MS / 1_000} s`);
      await sleep(answer === null ? 100 : 500);
    }
  }

  async #send<T>(method: string, path: string, body: unknown): Promise<Omit<Answer<T>, "tries">> {
    const key = await this.#free(path.startsWith("/v1/worker/") ? "worker" : "api");
    const response = await fetch(this.#service.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${key.secret}`,
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  async #free(kind: keyof typeof LIMITS): Promise<Key> {
    for (;;) {
      const free = this.#keys.find((key) => key.take(kind));
      if (free) return free;
      await sleep(50);
    }
  }
}
