// One account of the service with its API keys. Its requests stay within the limits of a key and of an account.

import type { Call } from "../load.ts";
import { KeyRing } from "./key-ring.ts";
import { PAYLOAD, timeOf, type When } from "./system.ts";

export class Tenant {
  readonly keys: readonly string[];
  readonly #url: string;
  readonly #ring: KeyRing;
  #workerCalls = 0;

  constructor(url: string, keys: readonly string[]) {
    this.#url = url;
    this.keys = keys;
    this.#ring = new KeyRing(keys);
  }

  createPush(when: When, url: string, payload: object = PAYLOAD): Call {
    return callWith(this.#url, this.#ring.next(), "/v1/jobs", pushJob(when, url, payload));
  }

  /** A pull job. */
  create(when: When, handler: string): Call {
    return callWith(this.#url, this.#ring.next(), "/v1/jobs", {
      name: "bench",
      handler,
      payload: PAYLOAD,
      ...timeOf(when),
    });
  }

  /** What a worker asks. Workers have limits of their own, which all keys share evenly here. */
  workerCall(path: string, body: object): Call {
    const key = this.keys[this.#workerCalls++ % this.keys.length] ?? "";
    return callWith(this.#url, key, `/v1/worker/jobs/${path}`, body);
  }

  get(path: string): Promise<Response> {
    return fetch(this.#url + path, { headers: { authorization: `Bearer ${this.#ring.next()}` } });
  }

  /** How many of its jobs the list shows, up to 10,000. */
  async listed(query: string): Promise<number> {
    const answer = await this.get(`/v1/jobs?size=1&${query}`);
    if (!answer.ok) throw new Error(`the list ${query} answered ${answer.status}`);
    return ((await answer.json()) as { meta: { paging: { total: number } } }).meta.paging.total;
  }
}

export const callWith = (url: string, key: string, path: string, body: object): Call => ({
  url: url + path,
  headers: { authorization: `Bearer ${key}` },
  body: JSON.stringify(body),
});

export const pushJob = (when: When, url: string, payload: object = PAYLOAD): object => ({
  name: "bench",
  payload,
  ...timeOf(when),
  delivery: { type: "push", http: { url, method: "POST" } },
});
