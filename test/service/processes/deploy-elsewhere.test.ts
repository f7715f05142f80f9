// `npm run deploy` where something is different: the sign-in, the account, the name, the place, the build. The gate takes the quickest
// of them; `npm run test:workers` all.

import { existsSync, rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { keyIn, People } from "../../harness/cloudflare/person.ts";
import { ACCOUNT } from "../../harness/cloudflare/state.ts";
import { FULL_SIZE } from "../../harness/size.ts";

const LIMIT = { timeout: 300_000 };

const { arrive, leave } = new People();
afterAll(leave);

it("a token that may not do it is said so, and nothing is made", async () => {
  const person = await arrive();
  const { code, output } = await person.deploy({ env: { CLOUDFLARE_API_TOKEN: "another" } });
  expect(code).toBe(1);
  expect(output).toMatch(/✗ look +failed\n\n {2}.*Authentication error \[code: 10000\]/s);
  expect(output).toContain("Done already: sign-in.\nNot done yet: look, secrets, database");
  expect(person.cloudflare.changes).toEqual([]);
  expect(existsSync(person.folder)).toBe(false);
});

const everything = () => {
  it("a name, a domain, a place and a plan of one's own", async () => {
    const person = await arrive();
    const flags = ["--name", "jobs", "--domain", "jobs.example.com", "--location", "apac", "--plan", "free"];
    const made = await person.deploy({ args: flags });
    expect(made).toMatchObject({ code: 0 });
    expect(made.output).toContain("https://jobs.example.com/dashboard");
    const again = await person.deploy({ args: ["--name", "jobs", "--domain", "jobs.example.com"] });
    expect(again).toMatchObject({ code: 0 });
    const [script] = person.cloudflare.state.summary().scripts;
    expect(script).toMatchObject({ name: "jobs", domains: ["jobs.example.com"], onWorkersDev: true });
    const varOf = (name: string) => script?.bindings?.find((binding) => binding.name === name)?.text;
    expect(varOf("SUBREQUESTS")).toBe("50");
    expect(varOf("LOCATION_HINT")).toBe("apac");
    expect(varOf("PUBLIC_HOSTS")).toBe("jobs.example.com,jobs.stand-in.workers.dev");
    expect(person.cloudflare.state.databases).toMatchObject([{ name: "jobs", location: "apac" }]);
    expect(person.cloudflare.state.queues).toMatchObject([{ queue_name: "jobs-executions" }]);
    expect(person.cloudflare.calls.filter((call) => call.startsWith("UNKNOWN"))).toEqual([]);
  });

  it("Cloudflare's own build deploys without a question, and shows no key", async () => {
    const person = await arrive();
    const env = { CI: "true", WORKERS_CI: "1", WRANGLER_CI_OVERRIDE_NAME: "chronos" };
    const bare = await person.deploy({ env });
    expect(bare).toMatchObject({ code: 0 });
    expect(bare.output).toContain("MASTER_KEY is not set");
    expect(existsSync(person.folder)).toBe(false);
    const given = await person.deploy({
      env: { ...env, MASTER_KEY: "k".repeat(32), ADMIN_TOKEN: "t".repeat(32) },
    });
    expect(given).toMatchObject({ code: 0 });
    expect(given.output).toMatch(/✓ health +well/);
    expect(keyIn(given)).toBeUndefined();
    expect(given.output).not.toMatch(/k{32}|t{32}/);
    const accounts = await person.call("t".repeat(32), "GET", "/v1/admin/accounts");
    expect(await accounts.json()).toMatchObject({ data: [] });
  });

  it("an account without a workers.dev subdomain is told where to choose one", async () => {
    const person = await arrive();
    person.cloudflare.state.subdomain = null;
    const stopped = await person.deploy();
    expect(stopped.code).toBe(1);
    expect(stopped.output).toMatch(
      new RegExp(`✗ deploy +failed.*dash\\.cloudflare\\.com/${ACCOUNT}/workers/onboarding`, "s"),
    );
    person.cloudflare.state.subdomain = "stand-in";
    const ended = await person.deploy();
    expect(ended).toMatchObject({ code: 0 });
    expect((await person.call(keyIn(ended) ?? "", "GET", "/v1/jobs")).status).toBe(200);
  });

  it("several accounts are listed, and none is guessed", async () => {
    const person = await arrive();
    person.cloudflare.accounts.push({ id: "f".repeat(32), name: "Another" });
    const { code, output } = await person.deploy({ env: { CLOUDFLARE_ACCOUNT_ID: undefined } });
    expect(code).toBe(1);
    expect(output).toMatch(/✗ sign-in +failed.*CLOUDFLARE_ACCOUNT_ID.*f{32} {2}Another/s);
    expect(person.cloudflare.changes).toEqual([]);
  });

  it("a Worker or a database of somebody else's is left alone", async () => {
    const person = await arrive();
    const { state } = person.cloudflare;
    expect(await person.deploy()).toMatchObject({ code: 0 });
    const [worker] = state.scripts.values();
    for (const version of worker?.versions ?? []) Object.assign(version, { bindings: [] });
    const overWorker = await person.deploy();
    expect(overWorker).toMatchObject({ code: 1 });
    expect(overWorker.output).toContain("There is a Worker chronos in this account that is not this service");
    state.scripts.clear();
    await person.cloudflare.rows("chronos", "DROP TABLE executions");
    person.cloudflare.changes = [];
    const overDatabase = await person.deploy();
    expect(overDatabase).toMatchObject({ code: 1 });
    expect(overDatabase.output).toContain("There is a database chronos in this account with tables");
    expect(person.cloudflare.changes).toEqual([]);
  });

  it("no new master key is made for accounts that were made with another", async () => {
    const person = await arrive();
    expect(await person.deploy()).toMatchObject({ code: 0 });
    const key = person.secret("master-key");
    rmSync(person.folder, { recursive: true });
    person.cloudflare.state.scripts.clear();
    const stopped = await person.deploy();
    expect(stopped.output).toMatch(/✗ secrets +failed.*MASTER_KEY that they were made with/s);
    const brought = await person.deploy({ env: { MASTER_KEY: key } });
    expect(brought).toMatchObject({ code: 0 });
    expect(person.secret("master-key")).toBe(key);
  });
};

if (FULL_SIZE) describe.concurrent("npm run deploy", LIMIT, everything);
