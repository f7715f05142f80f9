import { existsSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { buildDashboard } from "./dashboard/build.ts";
import { closingLine } from "./test/closing-line.ts";

// Every Durable Object is a file: in memory they are made several times as fast, and nobody keeps them.
if (existsSync("/dev/shm")) process.env.TMPDIR ??= "/dev/shm";

// The Worker carries it.
await buildDashboard();

/** The Worker itself, with the bindings of wrangler.toml and a few more. */
const inWorkerd = (bindings: Record<string, string>, moreDatabases: readonly string[] = []) =>
  cloudflareTest(async () => ({
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      d1Databases: [...moreDatabases],
      bindings: {
        TEST_MIGRATIONS: await readD1Migrations("./migrations"),
        MASTER_KEY: "a master key for tests, and for tests only",
        ADMIN_TOKEN: "adm_test_that_is_as_long_as_an_operator_makes_it",
        ...bindings,
      },
    },
  }));

/** The whole service as real processes. They mostly wait, so they do it together, after all others. */
const inProcesses = (name: string, maxWorkers: number, include: string[]): TestProjectConfiguration => ({
  test: {
    name,
    include,
    globalSetup: ["test/harness/shared.ts", "test/sdk/build.ts"],
    testTimeout: 120_000,
    hookTimeout: 90_000,
    sequence: { groupOrder: 1 },
    maxConcurrency: 5,
    maxWorkers,
  },
});

// Three rings: pure rules in Node, objects and the API in workerd, the whole service as real processes.
export default defineConfig({
  test: {
    // Two files at a time; of those in workerd, each in a workerd of its own, which the files after it share.
    maxWorkers: 2,
    reporters: ["default", closingLine],
    projects: [
      // Thousands of made-up cases a test: on a busy machine that takes longer than five seconds.
      {
        test: {
          name: "rules",
          include: ["test/rules/**/*.test.ts", "test/dashboard/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      // The simulated platform itself; `npm run world` lives in it.
      { test: { name: "world", include: ["test/world/**/*.test.ts"], testTimeout: 60_000 } },
      {
        plugins: [inWorkerd({})],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts", "test/sdk/workerd/*.test.ts", "test/docs/workerd/*.test.ts"],
          isolate: false,
          setupFiles: ["test/workerd/setup.ts"],
        },
      },
      // Accounts spread over four databases.
      {
        plugins: [inWorkerd({}, ["DB_1", "DB_2", "DB_3"])],
        test: {
          name: "databases",
          include: ["test/databases/**/*.test.ts"],
          isolate: false,
          // Both are named here: what a setup file imports runs for the first test file of a worker alone.
          setupFiles: ["test/workerd/setup.ts", "test/databases/setup.ts"],
        },
      },
      {
        plugins: [
          inWorkerd({ FAULTS_SEED: process.env.FAULTS_SEED ?? "", FAULTS_REQUESTS: process.env.FAULTS_REQUESTS ?? "" }),
        ],
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          isolate: false,
          setupFiles: ["test/workerd/setup.ts"],
          testTimeout: 60_000,
        },
      },
      "sdk",
      inProcesses("service", 8, [
        "test/service/*.test.ts",
        "test/sdk/*.test.ts",
        "test/cli/*.test.ts",
        "test/docs/*.test.ts",
        // `npm run test:workers` sets it: full sizes, and what takes minutes of real time.
        ...(process.env.FULL_SIZE === "1" ? ["test/sdk/full/*.test.ts", "test/service/full/*.test.ts"] : []),
      ]),
      // In Debian's Chromium: the dashboard, on a service of its own with 50,000 stored jobs, and the documents.
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          globalSetup: ["test/browser/harness/setup.ts", "test/harness/shared.ts"],
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
      // How the embedded service keeps house; part of `npm run test:faults`.
      inProcesses("processes", 4, ["test/service/processes/*.test.ts"]),
    ],
  },
});
