// `chronos-edge/testing`: a throw-away service for the tests of an application.

import type { Chronos, Job } from "@chronos-edge/sdk";
import { accountOf } from "./account.ts";
import { startProcess } from "./process.ts";

/** How long to wait for a job that does not end. */
export interface SettleOptions {
  /** Default 10,000. */
  timeoutMs?: number | undefined;
}

/** An account of the test service. Nothing is limited by rate, and jobs may call this machine. */
export interface TestAccount {
  url: string;
  apiKey: string;
  /** Deliveries are signed with it. */
  signingSecret: string;
  /** A client of the SDK. Its types need `@chronos-edge/sdk` beside this package. */
  client: Chronos;
  /**
   * Runs a job now, whenever it is due, and its retries without their pauses. Resolves with the job once it has ended, however
   * it ended. Throws when it does not end in time, and says what it waits for.
   */
  run(jobId: string, options?: SettleOptions): Promise<Job>;
  /** Runs every job that has not ended, and those that they make meanwhile. Resolves with all of them. */
  runAll(options?: SettleOptions): Promise<Job[]>;
  /** Waits until a job has ended by itself. Throws when it does not end in time, and says what it waits for. */
  settled(jobId: string, options?: SettleOptions): Promise<Job>;
}

/** A service of a test's own, with a first account. */
export interface TestService extends TestAccount {
  /** Another account: its jobs, schedules and webhooks are apart from all others. */
  newAccount(name?: string): Promise<TestAccount>;
  /** Ends the service and removes all that it knew. It also ends with the process of the test. */
  stop(): Promise<void>;
}

export interface TestServiceOptions {
  /** How long the service may take to start. Default 60,000. */
  startTimeoutMs?: number | undefined;
}

/**
 * Starts the real service on a free port, with a state folder in the folder for temporary files.
 *
 * @example
 * ```ts
 * const service = await startTestService();
 * const job = await service.client.jobs.create({ name: "Trial ends", handler: "trial", delay: { value: 14, unit: "day" } });
 * console.log((await service.run(job.id)).status);
 * await service.stop();
 * ```
 */
export async function startTestService({ startTimeoutMs = 60_000 }: TestServiceOptions = {}): Promise<TestService> {
  const { account, stop } = await startProcess(startTimeoutMs);
  const { url, api_key: apiKey, signing_secret: signingSecret, admin_token } = account;
  return {
    ...accountOf({ url, apiKey, signingSecret }),
    stop,
    async newAccount(name = "test") {
      const answer = await fetch(`${url}/v1/admin/accounts`, {
        method: "POST",
        headers: { Authorization: `Bearer ${admin_token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ name }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`The account cannot be made: ${answer.status} ${text}`);
      const { data } = JSON.parse(text) as { data: { api_key: string; signing_secret: string } };
      return accountOf({ url, apiKey: data.api_key, signingSecret: data.signing_secret });
    },
  };
}

/** The same for an account of a service that another process has started, such as vitest's global set-up. */
export function testAccount(credentials: { url: string; apiKey: string; signingSecret: string }): TestAccount {
  return accountOf(credentials);
}
