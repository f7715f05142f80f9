import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { closingLine } from "./test/closing-line.ts";

// Three rings: pure rules in Node, objects and the API in workerd, the whole service as real processes.
export default defineConfig({
  test: {
    reporters: ["default", closingLine],
    projects: [
      { test: { name: "rules", include: ["test/rules/**/*.test.ts"] } },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                MASTER_KEY: "a master key for tests, and for tests only",
                ADMIN_TOKEN: "adm_test",
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          isolate: false,
          maxWorkers: 1,
          setupFiles: ["test/workerd/setup.ts"],
        },
      },
      { test: { name: "service", include: ["test/service/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});
