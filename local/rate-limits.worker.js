// The rate limiters of the embedded server: the platform's binding, counted in memory. Miniflare's own counts in a database
// on disk, and every request would wait until that is synced.

import { WorkerEntrypoint } from "cloudflare:workers";

/**
 * Requests of each key in its present period. The process is one, so the count is exact; a restart forgets it.
 *
 * @type {Map<string, { count: number, endsAt: number }>}
 */
const periods = new Map();

/** When ended periods are let go next. */
let tidyAt = 0;

/** @extends {WorkerEntrypoint<Cloudflare.Env, { name: string, limit: number, period: number }>} */
export class RateLimiter extends WorkerEntrypoint {
  /** @param {{ key: string }} options */
  async limit({ key }) {
    const { name, limit, period } = this.ctx.props;
    const now = Date.now();
    const counted = `${name} ${key}`;
    const known = periods.get(counted);
    const present = known && now < known.endsAt ? known : { count: 0, endsAt: now + period * 1_000 };
    if (present !== known) periods.set(counted, present);
    if (now >= tidyAt) {
      for (const [ended, { endsAt }] of periods) if (endsAt <= now) periods.delete(ended);
      tidyAt = now + period * 1_000;
    }
    present.count++;
    return { success: present.count <= limit };
  }
}

export default {
  fetch: () => new Response(null, { status: 404 }),
};
