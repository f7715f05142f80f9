// The tests of faults, as one row of the table. Inside workerd: alarms, deaths at every await, D1, queues, stale messages, stored
// shapes, clocks and the fuzzer; as processes: how the embedded service keeps house.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT } from "../../local/settings.ts";
import type { Part } from "./part.ts";

interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export async function runTests(requests: number, seed: number): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), "chronos-faults-"));
  const file = join(folder, "report.json");
  const vitest = join(PROJECT, "node_modules/vitest/vitest.mjs");
  const child = spawn(
    process.execPath,
    [vitest, "run", "--project", "faults", "--project", "processes", "--reporter=json", `--outputFile=${file}`],
    {
      cwd: PROJECT,
      stdio: "ignore",
      env: { ...process.env, FAULTS_SEED: `${seed}`, FAULTS_REQUESTS: `${requests}` },
    },
  );
  await once(child, "exit");
  const report: Report = JSON.parse(readFileSync(file, "utf8"));
  rmSync(folder, { recursive: true });
  const { numTotalTests: jobs, numPassedTests: delivered } = report;
  const faults = report.testResults.flatMap(({ name, message, assertionResults }) => [
    ...(assertionResults.length === 0 ? [`${name}: ${message}`] : []),
    ...assertionResults
      .filter(({ status }) => status !== "passed")
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join().slice(0, 1_000)}`),
  ]);
  const row = { fault: `tests, ${requests} hostile requests among them`, jobs, delivered };
  return {
    rows: [{ ...row, lost: jobs - delivered, duplicated: 0, early: 0, lateP99Ms: null }],
    faults,
    secrets: [],
  };
}
