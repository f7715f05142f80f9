// How people speak to the service: each call is noted with how long it took, refusals that must not be are violations, and what was
// not answered is asked again where that is safe.

import { checkServed } from "../judge/databases.ts";
import type { Tenant } from "../judge/ledger.ts";
import { noteServed } from "../judge/outage.ts";
import type { Answer, Call } from "../platform/platform.ts";
import { ADMIN_TOKEN } from "../platform/platform.ts";
import type { World } from "../world.ts";

const SECOND = 1_000;

/** However D1 and objects behave, everything is answered by then. A long poll may take 20 s longer. */
const ANSWERED_WITHIN_MS = 60 * SECOND;

export class Client {
  readonly world: World;
  readonly tenant: Tenant;

  constructor(world: World, tenant: Tenant) {
    this.world = world;
    this.tenant = tenant;
  }

  /** Once. @returns null when the connection broke, or 503: it may have been done */
  async once(method: string, path: string, body?: unknown, more: Call = {}): Promise<Answer | null> {
    const { world, tenant } = this;
    const startedAt = world.now;
    const call: Call = { key: tenant.key, address: tenant.name, ...more, ...(body !== undefined && { body }) };
    const answer = await world.platform.call(method, path, call);
    if (call.key === tenant.key) noteServed(world, tenant, answer);
    const tookMs = world.now - startedAt;
    world.note(
      "answer",
      `${method} ${path}`,
      `${answer?.status ?? "lost"} ${answer?.body?.code ?? ""} ${answer?.body?.data?.id ?? ""} in ${tookMs}`,
    );
    if (tookMs > ANSWERED_WITHIN_MS + (more.leavesAfterMs ?? 0))
      world.ledger.violated("every request is answered in time", `${method} ${path} took ${tookMs} ms`);
    if (call.key === tenant.key && more.leavesAfterMs === undefined)
      checkServed(world, tenant, answer, `${method} ${path}`, tookMs);
    if (answer && answer.status >= 500 && answer.status !== 503)
      world.ledger.violated("no request is answered with a 500", `${method} ${path}: ${answer.status}`);
    return answer;
  }

  /**
   * Again until the service has taken a stand: neither lost, nor 503, nor too many. Only for what may be said twice.
   *
   * @param first looks at the first answer, whatever it is
   * @returns null when the world closed before
   */
  async surely(
    method: string,
    path: string,
    body?: unknown,
    more: Call = {},
    first: (answer: Answer | null) => void = () => {},
  ): Promise<Sure | null> {
    const { world } = this;
    let mayHaveBeenDone = false;
    for (let tries = 0; tries < 400; tries++) {
      const answer = await this.once(method, path, body, more);
      if (tries === 0) first(answer);
      if (answer && answer.status !== 503 && answer.status !== 429) return { ...answer, mayHaveBeenDone };
      if (answer?.status !== 429) mayHaveBeenDone = true;
      await world.sleep(answer?.status === 429 ? 10 * SECOND : 2 * SECOND);
    }
    return null;
  }

  /** The operator's. */
  operator(method: string, path: string, body?: unknown): Promise<Sure | null> {
    return this.surely(method, `/v1/admin${path}`, body, { key: ADMIN_TOKEN });
  }
}

/** An answer, and whether an earlier try may have done it already. */
export interface Sure extends Answer {
  readonly mayHaveBeenDone: boolean;
}

export const isDone = <A extends Answer>(answer: A | null): answer is A & { readonly isDone?: true } =>
  answer !== null && answer.status < 300;
