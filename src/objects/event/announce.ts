// Makes the jobs that carry events to their endpoints. May be done again after a crash, by whoever finds that it was not
// finished: the same event has the same job, and one that exists is left as it is.

import { databaseOf } from "../../accounts/home.ts";
import { type Endpoint, type Event, identityOf, jobOfEvent } from "../../domain/event.ts";
import { ID_RANDOM_BYTES, idAt } from "../../domain/ids.ts";
import type { JobSpec, SigningState } from "../../domain/job.ts";
import { log, nameOf } from "../../log.ts";
import { enabledWebhooks } from "../../store/webhooks-store.ts";
import { createJobs } from "../job/create-job.ts";

/** Who announces. */
interface Announcer {
  readonly accountId: string;
  readonly id: string;
  /** How the account's secret stands, as far as that is known. */
  readonly signing: SigningState | null;
}

/**
 * Who asks for these events is read from D1 each time: a webhook counts from the moment its creation was answered.
 *
 * @returns whether each of them has its job by now. Never throws
 */
export async function announce(env: Cloudflare.Env, from: Announcer, events: readonly Event[]): Promise<boolean> {
  try {
    return await makeJobs(env, from, events);
  } catch (thrown) {
    log("error", "announce_fault", { account_id: from.accountId, about: from.id, error: nameOf(thrown) });
    return false;
  }
}

async function makeJobs(
  env: Cloudflare.Env,
  { accountId, signing }: Announcer,
  events: readonly Event[],
): Promise<boolean> {
  const webhooks = await enabledWebhooks(databaseOf(env, accountId), accountId);
  if (!webhooks.ok) return false;
  const specs: JobSpec[] = [];
  for (const event of events) {
    const asking = webhooks.value.filter(({ events }) => events.some((type) => type === event.type));
    const endpoints: Endpoint[] = asking.map(({ id, url }) => ({ webhookId: id, url, headers: {} }));
    if (event.callback) endpoints.push({ webhookId: null, ...event.callback });
    for (const to of endpoints) specs.push(jobOfEvent(accountId, event, to, await eventJobId(event, to)));
  }
  if (specs.length === 0) return true;
  const made = await createJobs({ env, accountId, specs, signing, later: () => {} });
  return made.ok; // those that were not made belong to an account that is gone, or have been deleted since
}

/** An id as any other, with the digest of the event in the place of chance. */
async function eventJobId(event: Event, to: Endpoint): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(identityOf(event, to)));
  return idAt(event.at, new Uint8Array(digest, 0, ID_RANDOM_BYTES));
}
