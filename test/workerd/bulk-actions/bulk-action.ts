// One bulk action as a test sees it: over the API, in its object's storage, and in the read model.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { and, eq } from "drizzle-orm";
import type { BulkAction } from "../../../src/domain/bulk-action.ts";
import type { showBulkAction } from "../../../src/routes/show-bulk-action.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { bulkActions } from "../../../src/store/schema.ts";
import type { Account } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { advance, setClock } from "../harness/clock.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { OwnerUnderTest } from "../harness/owner.ts";

export type BulkActionJson = ReturnType<typeof showBulkAction>;

export class BulkActionUnderTest extends OwnerUnderTest<BulkAction> {
  readonly account: Account;
  readonly id: string;

  constructor(account: Account, id: string) {
    super();
    this.account = account;
    this.id = id;
  }

  get ref() {
    return { accountId: this.account.id, bulkActionId: this.id };
  }

  get owner() {
    return env.BULK_ACTIONS.getByName(`${this.account.id}/${this.id}`);
  }

  call = (method: "GET" | "POST", action = "") =>
    api<BulkActionJson>(method, `/v1/bulk-actions/${this.id}${action}`, { key: this.account.key });

  show = (): Promise<BulkActionJson> => must(this.call("GET"));
  abort = () => this.call("POST", "/abort");
  wake = (): Promise<boolean> => this.owner.wake(this.ref);

  /** The platform loses the alarm. */
  loseAlarm = (): Promise<void> => runInDurableObject(this.owner, (_, { storage }) => storage.deleteAlarm());

  /** Rings whenever it wants to, until it is over and has been reported. */
  async runToItsEnd(): Promise<BulkActionJson> {
    for (let ring = 0; ring < 50; ring++) {
      const at = await this.alarm();
      if (at === null) return this.show();
      setClock(Math.max(at, Date.now()));
      await this.ring();
    }
    throw new Error("it comes to no end");
  }

  row = () =>
    directoryOf(env)
      .select()
      .from(bulkActions)
      .where(and(eq(bulkActions.accountId, this.account.id), eq(bulkActions.id, this.id)))
      .get();

  deleteRow = () =>
    directoryOf(env)
      .delete(bulkActions)
      .where(and(eq(bulkActions.accountId, this.account.id), eq(bulkActions.id, this.id)));
}

export const postBulkAction = (account: Account, body: unknown) =>
  api<BulkActionJson>("POST", "/v1/bulk-actions", { key: account.key, body });

/** Asked for a moment after whatever was created before. */
export async function newBulkAction(account: Account, body: Record<string, unknown>): Promise<BulkActionUnderTest> {
  advance(1);
  return new BulkActionUnderTest(account, (await must(postBulkAction(account, body))).id);
}

/** One whose object has not heard of it: the wake was lost. */
export async function unheardBulkAction(account: Account, body: unknown): Promise<BulkActionUnderTest> {
  advance(1);
  const deaf = { getByName: () => ({ wake: () => Promise.reject(new Error("lost")) }) };
  const asked = api<BulkActionJson>("POST", "/v1/bulk-actions", {
    key: account.key,
    body,
    env: { BULK_ACTIONS: deaf },
  });
  return new BulkActionUnderTest(account, (await must(asked)).id);
}

/** So many jobs, each made after the one before. */
export async function newJobs(account: Account, count: number, body: Record<string, unknown>): Promise<JobUnderTest[]> {
  const jobs: JobUnderTest[] = [];
  for (let i = 0; i < count; i++) {
    jobs.push(await newJob(account, body));
    advance(1);
  }
  return jobs;
}

export const statusesOf = async (jobs: readonly JobUnderTest[]): Promise<string[]> =>
  Promise.all(jobs.map(async (job) => (await job.show()).status));

export const LATER = { delay: { value: 1, unit: "day" } };
export const SOON = { delay: { value: 10, unit: "minute" } };
