// The owners' reports on their way to the projector: seen by the test, and answered by the projector itself unless the test
// takes it away.

import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Applied } from "../../../src/domain/reporting.ts";
import type { Projector } from "../../../src/objects/projector/projector.ts";
import { recounted } from "../../../src/objects/projector/send-report.ts";
import { applyReports } from "../../../src/store/apply-reports.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import type { JobReport, Report } from "../../../src/store/report.ts";

type Answer = Awaited<ReturnType<Projector["report"]>>;

class Post {
  readonly sent: Report[] = [];
  #answer: Answer | undefined;

  reset(): void {
    this.sent.length = 0;
    this.#answer = undefined;
    const getByName = env.PROJECTORS.getByName.bind(env.PROJECTORS);
    vi.spyOn(env.PROJECTORS, "getByName").mockImplementation((name, options) => {
      const projector = getByName(name, options);
      const report = async (given: Report, bytes: number): Promise<Answer> => {
        this.sent.push(structuredClone(given));
        return this.#answer ?? (await projector.report(given, bytes));
      };
      return { report, flush: (ms?: number) => projector.flush(ms) } as unknown as typeof projector;
    });
  }

  /** From now on nothing reaches the read model: every report is answered like this. */
  stop(answer: Exclude<Answer, "stored"> = "unavailable"): void {
    this.#answer = answer;
  }

  goOn(): void {
    this.#answer = undefined;
  }

  /** What was sent since the last look. */
  take(): Report[] {
    return this.sent.splice(0);
  }

  /** The same of jobs alone. */
  takeJobs = (): JobReport[] => this.take().filter((report) => report.kind === "job");

  /** Brings reports to the read model, in this order. */
  deliver = (reports: readonly Report[]): Promise<readonly Applied[]> =>
    applyReports(directoryOf(env), reports, recounted(Date.now()));
}

export const post = new Post();
