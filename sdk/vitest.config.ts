import { defineConfig } from "vitest/config";

// The package by itself, against a service in memory. Also one of the root's projects.
export default defineConfig({
  test: {
    name: "sdk",
    include: ["test/**/*.test.ts"],
    restoreMocks: true,
  },
});
