// Sends the reports of one worker. Those that are ready in the same turn of the event loop, or while a call is under way,
// go out in one call. Each is repeated after faults until its lease has surely ended.

import { isPassingForWorker } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import { batchesOf } from "./batches.ts";
import { type Connection, pauseMs } from "./connection.ts";
import type { Outcome } from "./outcome.ts";
import { sleep } from "./platform.ts";
import { answered, isAboutTheReport, type Report, reportOf } from "./report.ts";
import { sendReports } from "./worker-calls.ts";

/** Our reckoning of the lease's end may be early by a request's way; the service is the judge. */
const LEASE_SLACK_MS = 5_000;

/** A call that takes longer no longer holds back the next one: other leases go on running. */
const LONGEST_HOLD_MS = 250;

interface Failed {
  report: Report;
  error: unknown;
}

export class Reporter {
  readonly #connection: Connection;
  #ready: Report[] = [];
  /** Calls under way that hold back the next one. */
  #holding = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Resolves when the report has been accepted, dropped or given up; never rejects. It is sent at least once, even when
   * the lease seems to have ended. `leaseLeftMs` is how long the lease is still ours.
   */
  report(attempt: Attempt, outcome: Outcome, leaseLeftMs: number): Promise<void> {
    const leaseEndsAt = this.#connection.platform.monotonicMs() + leaseLeftMs;
    return new Promise((over) => this.#add([reportOf(attempt, outcome, { leaseEndsAt, over })]));
  }

  #add(reports: readonly Report[]): void {
    this.#ready.push(...reports);
    void Promise.resolve().then(() => this.#sendReady());
  }

  #sendReady(): void {
    if (this.#holding > 0) return;
    for (const batch of batchesOf(this.#ready.splice(0))) void this.#send(batch);
  }

  async #send(reports: readonly Report[]): Promise<void> {
    const letGo = this.#hold();
    const texts = reports.map(({ json }) => json);
    const errors = await sendReports(this.#connection, texts).catch((error: unknown) => reports.map(() => error));
    letGo();
    // One report that the service cannot take makes it refuse the whole call.
    if (reports.length > 1 && isAboutTheReport(errors[0])) {
      const half = Math.ceil(reports.length / 2);
      void this.#send(reports.slice(0, half));
      void this.#send(reports.slice(half));
      return;
    }
    const failed: Failed[] = [];
    for (const [i, report] of reports.entries()) {
      const error = errors[i];
      if (isPassingForWorker(error)) {
        failed.push({ report, error });
        continue;
      }
      const instead = answered(this.#connection, report, error);
      if (instead === null) report.over();
      else this.#add([instead]);
    }
    if (failed.length > 0) await this.#sendAgain(failed);
  }

  /** The answer, or the end of the longest hold, lets the next call go. */
  #hold(): () => void {
    this.#holding += 1;
    let holds = true;
    const letGo = () => {
      if (!holds) return;
      holds = false;
      callOff();
      this.#holding -= 1;
      this.#sendReady();
    };
    const callOff = this.#connection.platform.after(LONGEST_HOLD_MS, letGo);
    return letGo;
  }

  /** Reports that failed together stay together, so that a service in trouble gets no more calls than before. */
  async #sendAgain(failed: readonly Failed[]): Promise<void> {
    const { logger, platform } = this.#connection;
    for (const { report } of failed) report.failures += 1;
    const fewest = Math.min(...failed.map(({ report }) => report.failures));
    const pause = pauseMs(this.#connection, fewest, failed[0]?.error);
    const again = failed.filter(({ report, error }) => {
      const inTime = platform.monotonicMs() + pause <= report.leaseEndsAt + LEASE_SLACK_MS;
      if (inTime) logger.warn(`A report failed, trying again: ${String(error)}`, traceOf(report.attempt));
      else logger.error(`Gave up reporting, the lease is over: ${String(error)}`, traceOf(report.attempt));
      if (!inTime) report.over();
      return inTime;
    });
    if (again.length === 0) return;
    await sleep(platform, pause);
    this.#add(again.map(({ report }) => report));
  }
}
