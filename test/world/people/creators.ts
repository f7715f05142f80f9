// Those who make jobs: one by one, in batches, under a key again and again.

import type { Wish } from "../judge/ledger.ts";
import type { Chance } from "../platform/chance.ts";
import type { Answer } from "../platform/platform.ts";
import { cancel, change, remove } from "./changers.ts";
import { type Client, isDone } from "./client.ts";
import { someFlow } from "./flow-keys.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What a wish asks for. */
interface Asked {
  readonly body: Record<string, unknown>;
  readonly maxRetries: number;
}

export function wording(client: Client, wish: Wish, chance: Chance): Asked {
  const { tenant, world } = client;
  const maxRetries = chance.pick([0, 1, 2, 3, 5]);
  const timing = timingOf(chance, world.closesAt - world.now, world.hasFarJobs);
  const body: Record<string, unknown> = {
    name: `wish ${wish.n}`,
    payload: { n: wish.n },
    max_retries: maxRetries,
    timeout: chance.pick([1, 5, 30, 30, 60]),
    ...timing,
    ...(chance.happens(0.1) && { expires_after: { value: chance.int(1, 5), unit: "minute" } }),
    ...(chance.happens(0.1) && { backoff: { type: "fixed", initial: 2, max: 2, jitter: false } }),
    ...(chance.happens(0.05) && { backoff: { type: "list", delays: [240] } }),
  };
  if (wish.kind === "pull" && chance.happens(0.03))
    Object.assign(body, { handler: "nobody's", expires_after: { value: chance.int(3, 6), unit: "minute" } });
  else if (wish.kind === "pull") body.handler = tenant.handler;
  else
    body.delivery = {
      type: "push",
      http: { url: `https://${tenant.host}/${chance.int(1, 2)}`, method: chance.pick(["POST", "PUT"]) },
    };
  return { body, maxRetries };
}

/** Most at once or soon; some near the hour beyond which a job has no owner. */
function timingOf(chance: Chance, leftMs: number, hasFarJobs: boolean): Record<string, unknown> {
  if (chance.happens(0.4)) return {};
  if (hasFarJobs && chance.happens(0.15)) return { delay: { value: chance.int(58, 75), unit: "minute" } };
  const most = Math.max(1, Math.floor(leftMs / SECOND));
  return { delay: { value: chance.int(1, chance.happens(0.5) ? Math.min(30, most) : most), unit: "second" } };
}

/** The ledger learns of a job that was made. */
function noted(
  client: Client,
  wish: Wish,
  shown: { id: string; scheduled_for: string },
  maxRetries: number,
  wasFound = false,
): void {
  const job = client.world.ledger.made(wish, shown.id, Date.parse(shown.scheduled_for), maxRetries);
  job.wasFound = wasFound;
  client.world.note(wasFound ? "found" : "made", shown.id, `wish ${wish.n} for ${shown.scheduled_for}`);
}

/** Of one creator: a world is to be small. */
const MOST_WISHES = 40;

const isRefusal = (answer: Answer): boolean => answer.status >= 400 && answer.status < 500;

export async function creator(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  const pauseMs = chance.between(2, 25) * SECOND;
  const pulls = chance.next();
  for (let made = 0; world.isOpen && made < MOST_WISHES; made++) {
    const wish = world.ledger.wish(client.tenant, chance.happens(pulls) ? "pull" : "push");
    const { body, maxRetries } = wording(client, wish, chance);
    // A crowd is due in one moment.
    const crowd = chance.happens(0.005) ? chance.int(50, 55) : 1;
    if (crowd > 1) await Promise.all(Array.from({ length: crowd }, () => createCrowded(client, chance)));
    else if (chance.happens(0.5))
      await createWithKey(client, wish, { ...body, idempotency_key: `key ${wish.n}` }, maxRetries);
    else await createOnce(client, wish, body, maxRetries);
    await world.sleep(chance.around(pauseMs));
  }
}

/** A few jobs to push, one after the other. */
export async function createSome(client: Client, chance: Chance, count: number): Promise<void> {
  for (let made = 0; made < count; made++) {
    const wish = client.world.ledger.wish(client.tenant, "push");
    const { body, maxRetries } = wording(client, wish, chance);
    await createOnce(client, wish, body, maxRetries);
  }
}

async function createCrowded(client: Client, chance: Chance): Promise<void> {
  const wish = client.world.ledger.wish(client.tenant, "push");
  const { body, maxRetries } = wording(client, wish, chance);
  const at = Math.ceil((client.world.now + 20 * SECOND) / MINUTE) * MINUTE;
  const { delay: _, ...others } = body;
  await createOnce(client, wish, { ...others, scheduled_for: new Date(at).toISOString() }, maxRetries);
}

/** What the judge of flows has to know of a job. */
function said(wish: Wish, { flow, timeout, expires_after }: Record<string, unknown>): void {
  const timeoutMs = Number(timeout ?? 30) * SECOND;
  Object.assign(wish, { flow: flow ?? null, timeoutMs, mayExpire: expires_after !== undefined });
}

/** Without a key a lost answer is not asked again. */
export async function createOnce(
  client: Client,
  wish: Wish,
  body: Record<string, unknown>,
  maxRetries: number,
): Promise<void> {
  said(wish, body);
  const answer = await client.once("POST", "/v1/jobs", body);
  if (answer?.status === 201) noted(client, wish, answer.body.data, maxRetries);
  else wish.outcome = answer && isRefusal(answer) ? "refused" : "unknown";
}

/** With a key it is asked again until it is known, and it is one job. */
async function createWithKey(
  client: Client,
  wish: Wish,
  body: Record<string, unknown>,
  maxRetries: number,
): Promise<void> {
  said(wish, body);
  const answer = await client.surely("POST", "/v1/jobs", body);
  if (answer?.status === 201) noted(client, wish, answer.body.data, maxRetries);
  else if (answer?.status === 409) {
    if (!answer.mayHaveBeenDone)
      client.world.ledger.violated("one job a key", `a key that nobody has used is taken: wish ${wish.n}`);
    if (answer.body.data?.payload?.n !== wish.n)
      client.world.ledger.violated("one job a key", `the key of wish ${wish.n} is held by ${answer.body.data?.id}`);
    else noted(client, wish, answer.body.data, maxRetries, true);
  } else wish.outcome = answer && !answer.mayHaveBeenDone && isRefusal(answer) ? "refused" : "unknown";
}

/** Makes a job, thinks better of it at once, and deletes what it has cancelled. */
export async function hasty(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(8 * SECOND));
    if (!world.isOpen) return;
    const wish = world.ledger.wish(client.tenant, "push");
    const { body, maxRetries } = wording(client, wish, chance);
    const later = { value: chance.int(301, 420), unit: "second" };
    await createOnce(client, wish, { ...body, delay: later }, maxRetries);
    if (wish.job === null) continue;
    await cancel(client, wish.job);
    if (chance.happens(0.7)) await remove(client, wish.job);
  }
}

/** Makes a job that is due in a moment, and cancels or postpones it just as it begins. */
export async function waverer(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(6 * SECOND));
    if (!world.isOpen) return;
    const wish = world.ledger.wish(client.tenant, "push");
    const { body, maxRetries } = wording(client, wish, chance);
    await createOnce(client, wish, { ...body, delay: { value: chance.int(1, 6), unit: "second" } }, maxRetries);
    if (wish.job === null) continue;
    const { job } = wish;
    await world.sleep(Math.max(0, job.notBefore - world.now + chance.between(-0.2, 1) * SECOND));
    if (chance.happens(0.7)) await cancel(client, job);
    else await change(client, job, { delay: { value: chance.int(30, 120), unit: "second" } });
  }
}

export async function batcher(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(60 * SECOND));
    if (!world.isOpen) return;
    const wishes = Array.from({ length: chance.int(2, 8) }, () =>
      world.ledger.wish(client.tenant, chance.happens(0.5) ? "pull" : "push"),
    );
    const ofFlow = chance.stream(`flow ${wishes[0]?.n}`);
    const flow = ofFlow.happens(0.4) ? { flow: someFlow(ofFlow) } : {};
    const asked = wishes.map((wish) => {
      const { body, maxRetries } = wording(client, wish, chance);
      const whole = { ...body, ...flow };
      said(wish, whole);
      return { body: whole, maxRetries };
    });
    const isKeyed = chance.happens(0.5);
    const jobs = asked.map(({ body }, i) => (isKeyed ? { ...body, idempotency_key: `batch ${wishes[i]?.n}` } : body));
    const answer = isKeyed
      ? await client.surely("POST", "/v1/jobs/batch", { jobs })
      : await client.once("POST", "/v1/jobs/batch", { jobs });
    const mayHaveBeenDone = answer !== null && "mayHaveBeenDone" in answer && answer.mayHaveBeenDone === true;
    for (const [i, wish] of wishes.entries()) {
      const entry = isDone(answer) ? answer.body.data[i] : undefined;
      if (entry?.job && entry.job.payload?.n === wish.n)
        noted(client, wish, entry.job, asked[i]?.maxRetries ?? 0, entry.status === 409);
      else wish.outcome = answer && !mayHaveBeenDone && isRefusal(answer) ? "refused" : "unknown";
    }
  }
}

/** Edits under one key: a burst of them becomes one job, until that has begun. */
export async function replacer(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  const keys = chance.int(1, 3);
  while (world.isOpen) {
    await world.sleep(chance.around(20 * SECOND));
    if (!world.isOpen) return;
    const key = `replaced ${chance.int(1, keys)}`;
    const wish = world.ledger.wish(tenant, "push");
    const body = {
      name: `wish ${wish.n}`,
      payload: { n: wish.n },
      idempotency_key: key,
      on_conflict: "replace",
      delay: { value: chance.int(5, 90), unit: "second" },
      delivery: { type: "push", http: { url: `https://${tenant.host}/replaced`, method: "POST" } },
    };
    const others = [...world.ledger.jobs.values()].filter((job) => job.tenant === tenant && job.key === key);
    for (const job of others) job.unsettled += 1;
    const answer = await client.once("POST", "/v1/jobs", body);
    if (answer?.status === 200 || answer?.status === 201) {
      const { id, scheduled_for } = answer.body.data;
      const job = world.ledger.made(wish, id, Date.parse(scheduled_for), 3);
      Object.assign(job, { notBefore: Date.parse(scheduled_for), replacedBy: wish.n, key });
      for (const other of others) other.unsettled -= 1;
    } else {
      wish.outcome = "unknown"; // the jobs of this key stay unsettled: one of them may be another one now
    }
  }
}
