// The options of `npm run deploy`, and the messages for wrong ones.

import { expect, it } from "vitest";
import { readOptions } from "../../../deploy/options.ts";

const read = (args: string[], env: Record<string, string> = {}, isTerminal = false) =>
  readOptions(args, env as unknown as NodeJS.ProcessEnv, isTerminal);

it("nothing needs to be said", () => {
  expect(read([])).toEqual({
    place: "script",
    name: null,
    location: null,
    plan: null,
    domain: null,
    secretsFolder: null,
    accountId: null,
    given: { MASTER_KEY: undefined, ADMIN_TOKEN: undefined },
    timeoutMs: 180_000,
  });
});

it("a flag counts more than the environment", () => {
  const env = { CHRONOS_NAME: "one", CHRONOS_LOCATION: "apac", CHRONOS_PLAN: "paid", CHRONOS_DOMAIN: "a.example.com" };
  expect(read([], env)).toMatchObject({ name: "one", location: "apac", plan: "paid", domain: "a.example.com" });
  const flags = ["--name", "two", "--location", "WEUR", "--plan", "free", "--domain", "B.example.com"];
  expect(read(flags, env)).toMatchObject({ name: "two", location: "weur", plan: "free", domain: "b.example.com" });
});

it.each([
  [{ CHRONOS_LOCATION: "mars" }, "CHRONOS_LOCATION must be one of weur, eeur, enam, wnam, apac, oc"],
  [{ CHRONOS_PLAN: "gold" }, "CHRONOS_PLAN must be one of free, paid"],
  [{ CHRONOS_NAME: "Jobs!" }, "CHRONOS_NAME must be 1 to 54 lower-case letters"],
  [{ CHRONOS_NAME: "a".repeat(55) }, "CHRONOS_NAME must be 1 to 54 lower-case letters"],
  [{ CHRONOS_DOMAIN: "https://jobs.example.com" }, "CHRONOS_DOMAIN must be a host name"],
  [{ CHRONOS_TIMEOUT_SECONDS: "0" }, "CHRONOS_TIMEOUT_SECONDS must be a whole number of seconds"],
  [{ CLOUDFLARE_ENV: "staging" }, "CHRONOS_NAME=chronos-staging npm run deploy"],
  [{ CHRONOS_NAME: "mine", WRANGLER_CI_OVERRIDE_NAME: "theirs" }, 'this build belongs to the Worker "theirs"'],
])("%j is refused by its name", (env: Record<string, string>, message) => {
  expect(() => read([], env)).toThrow(message);
});

it("an unknown flag is answered with those there are", () => {
  expect(() => read(["--plam", "free"])).toThrow(/Unknown option '--plam'[\s\S]*--plan free\|paid/);
  expect(read(["--help"])).toBeNull();
});

it.each([
  [{}, true, "terminal"],
  [{}, false, "script"],
  [{ CI: "true" }, true, "ci"],
  [{ CI: "true", WORKERS_CI: "1" }, false, "workers-builds"],
  [{ CI: "false" }, true, "terminal"],
])("with %j, and a terminal: %s, it runs in a %s", (env: Record<string, string>, isTerminal, place) => {
  expect(read([], env, isTerminal)).toMatchObject({ place });
});

it("Cloudflare's own build names the Worker", () => {
  expect(read([], { WRANGLER_CI_OVERRIDE_NAME: "theirs" })).toMatchObject({ name: "theirs" });
});
