// A plain last line for people and machines that read the end of a log: how many tests passed, how many failed.

import type { Reporter, TestModule } from "vitest/node";

export const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const failed = tests.filter((test) => test.result().state === "failed").length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    console.log(`${passed} passed, ${failed + broken} failed`);
  },
};
