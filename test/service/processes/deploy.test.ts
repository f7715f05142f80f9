// `npm run deploy` with the real wrangler against a stand-in for Cloudflare's API, whose Workers really run. The gate takes
// a few of the broken runs; `npm run test:workers` all of them.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectCopy } from "../../harness/cloudflare/project-copy.ts";
import { type Ended, type Run, runDeploy } from "../../harness/cloudflare/run-deploy.ts";
import { type Fault, StandIn } from "../../harness/cloudflare/stand-in.ts";
import { ACCOUNT } from "../../harness/cloudflare/state.ts";
import { killAll, treeOf } from "../../harness/process-tree.ts";
import { FULL_SIZE } from "../../harness/size.ts";
import { until } from "../../harness/until.ts";

const HOST = "chronos.stand-in.workers.dev";

const QUERY = "POST /d1/database/:database/query";
const UPLOAD = "PUT /workers/scripts/:script";
const TRIGGERS = ["POST /workers/scripts/:script/subdomain", "PUT /workers/scripts/:script/schedules"];
const NEXT_VERSION = [
  "POST /workers/scripts/:script/versions",
  "POST /workers/scripts/:script/deployments",
  "PATCH /workers/scripts/:script/script-settings",
] as const;
interface Broken {
  readonly call: string;
  readonly fault: Fault | "killed";
  /** Which step says so; null when wrangler takes it lightly. */
  readonly step: string | null;
  /** A part of the gate. */
  readonly isQuick?: true;
}

/** Every call that changes something, as it fails; and the process killed after it. */
const BROKEN: readonly Broken[] = [
  ...ways("POST /d1/database", "database"),
  ...ways("POST /queues", "queues"),
  ...ways(`${QUERY} CREATE d1_migrations`, "migrations"),
  ...ways(`${QUERY} CREATE accounts`, "migrations"),
  ...ways(UPLOAD, "deploy", "lost"),
  ...TRIGGERS.flatMap((call) => ways(call, "deploy")),
  ...ways("POST /queues/:queue/consumers", "deploy", "killed"),
  ...ways(NEXT_VERSION[0], "address"),
  ...ways(NEXT_VERSION[1], "address"),
  ...ways(NEXT_VERSION[2], null),
  ...ways("PUT /queues/:queue/consumers/:consumer", "address"),
  ...ways("POST /v1/admin/accounts", "account", "lost"),
  { call: "POST /queues", fault: "hangs", step: "queues" },
];

/** @param quick the one that the gate takes */
function ways(call: string, step: string | null, quick?: Broken["fault"]): Broken[] {
  const faults = ["refused", "lost", "killed"] as const;
  return faults.map((fault) => ({ call, fault, step, ...(fault === quick ? { isQuick: true } : {}) }));
}

/** Somebody with an account, a clone and a home. */
class Person {
  readonly cloudflare: StandIn;
  readonly home = mkdtempSync(join(tmpdir(), "chronos-home-"));
  readonly clone = projectCopy();

  private constructor(cloudflare: StandIn) {
    this.cloudflare = cloudflare;
  }

  static async arrive(): Promise<Person> {
    return new Person(await StandIn.start());
  }

  get folder(): string {
    return join(this.home, ".config/chronos-edge/cloudflare", ACCOUNT, "chronos");
  }

  secret(file: string): string {
    return readFileSync(join(this.folder, file), "utf8").trim();
  }

  deploy(run: Run = {}): Promise<Ended> {
    return runDeploy(this.cloudflare, this.home, { project: this.clone.path, ...run });
  }

  call(key: string, method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.cloudflare.url}/served/${HOST}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** What is left on Cloudflare, with the secrets by the names of their files here. */
  async left() {
    const text = JSON.stringify(this.cloudflare.state.summary());
    const named = text.replace(this.secret("master-key"), "the copy").replace(this.secret("admin-token"), "the copy");
    const accounts = await this.cloudflare.rows<{ n: number }>(
      "chronos",
      "SELECT count(*) AS n FROM accounts WHERE status = 'active'",
    );
    return { ...JSON.parse(named), accounts: accounts[0]?.n };
  }

  async leave(): Promise<void> {
    await this.cloudflare.stop();
    this.clone.remove();
    rmSync(this.home, { recursive: true, force: true });
  }
}

const keyIn = ({ output }: Ended): string | undefined => /API key +(\S+)/.exec(output)?.[1];

/** Several at a time on a busy machine: a whole run is a dozen processes. */
const LIMIT = { timeout: 300_000 };

describe.concurrent("npm run deploy", LIMIT, () => {
  const people: Person[] = [];
  const arrive = async () => {
    const person = await Person.arrive();
    people.push(person);
    return person;
  };
  afterAll(() => Promise.all(people.map((person) => person.leave())));

  let ada: Person;
  let first: Ended;
  let expected: Awaited<ReturnType<Person["left"]>>;
  let made: string[];
  beforeAll(async () => {
    ada = await arrive();
    first = await ada.deploy();
    expect(first).toMatchObject({ code: 0 });
    expected = await ada.left();
    made = ada.cloudflare.changes;
  }, LIMIT.timeout);

  it("makes everything once, and migrates before it uploads", () => {
    expect(made).toEqual([
      "POST /d1/database",
      "POST /queues",
      `${QUERY} CREATE d1_migrations`,
      `${QUERY} CREATE accounts`,
      UPLOAD,
      ...TRIGGERS,
      "POST /queues/:queue/consumers",
      ...NEXT_VERSION,
      ...TRIGGERS,
      "PUT /queues/:queue/consumers/:consumer",
      "POST /v1/admin/accounts",
    ]);
    expect(ada.cloudflare.calls.filter((call) => call.startsWith("UNKNOWN"))).toEqual([]);
  });

  it("ends in a service that delivers a job", async () => {
    const key = keyIn(first) ?? "";
    const http = { url: "https://receiver.example.com/jobs", method: "POST" };
    const job = { name: "hello", payload: { to: "world" }, delivery: { type: "push", http } };
    const created = await ada.call(key, "POST", "/v1/jobs", job);
    expect(created.status).toBe(201);
    const { data } = (await created.json()) as { data: { id: string } };
    const isDone = async () => {
      const { data: now } = (await (await ada.call(key, "GET", `/v1/jobs/${data.id}`)).json()) as {
        data: { status: string };
      };
      return now.status === "completed";
    };
    await until(isDone, 20_000, () => "the job is not delivered");
    expect(ada.cloudflare.deliveries).toMatchObject([{ url: http.url }]);
  });

  it("knows its own address, so that no job may call it, and where its database is", async () => {
    const http = { url: `https://${HOST}/v1/jobs`, method: "POST" };
    const refused = await ada.call(keyIn(first) ?? "", "POST", "/v1/jobs", {
      name: "loop",
      delivery: { type: "push", http },
    });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("Must not be this service itself.");
    expect(expected.databases).toEqual([{ name: "chronos", location: "weur" }]);
    expect(expected.scripts[0].bindings).toContainEqual({ type: "plain_text", name: "LOCATION_HINT", text: "weur" });
  });

  it("keeps the secrets for their owner only, shows none of them, and leaves nothing beside them", () => {
    expect(readdirSync(ada.folder).sort()).toEqual(["admin-token", "master-key"]);
    expect(statSync(ada.folder).mode & 0o777).toBe(0o700);
    for (const file of ["admin-token", "master-key"]) {
      expect(statSync(join(ada.folder, file)).mode & 0o777).toBe(0o600);
      expect(first.output).not.toContain(ada.secret(file));
    }
    expect(first.output).toContain(ada.folder);
    expect(expected.scripts[0].bindings).toContainEqual({ type: "secret_text", name: "MASTER_KEY", text: "the copy" });
    expect(readFileSync(join(ada.clone.path, "wrangler.toml"), "utf8")).toBe(readFileSync("wrangler.toml", "utf8"));
  });

  it("run again, it upgrades: same database, same secrets, same account", async () => {
    ada.cloudflare.changes = [];
    const second = await ada.deploy();
    expect(second).toMatchObject({ code: 0 });
    expect(keyIn(second)).toBeUndefined();
    expect(second.output).toContain(`https://${HOST}/dashboard`);
    expect(await ada.left()).toEqual(expected);
    const changes = ada.cloudflare.changes.filter((call) => !call.endsWith("/v1/jobs")); // of the tests beside this one
    expect(changes).toEqual([
      `${QUERY} CREATE d1_migrations`,
      ...NEXT_VERSION,
      ...TRIGGERS,
      "PUT /queues/:queue/consumers/:consumer",
    ]);
  });

  it.each(FULL_SIZE ? BROKEN : BROKEN.filter(({ isQuick }) => isQuick))(
    "goes on after $call was $fault",
    async ({ call, fault, step }) => {
      const person = await arrive();
      const { cloudflare } = person;
      cloudflare.faults.set(call, fault === "killed" ? "hangs" : fault);
      const env = fault === "hangs" ? { CHRONOS_TIMEOUT_SECONDS: "8" } : {};
      const broken = await person.deploy({
        env,
        onStart: (child) => {
          if (fault === "killed") cloudflare.onFault = () => killAll(treeOf(child.pid ?? 0));
        },
      });
      if (fault === "killed") expect(broken.code).toBe(null);
      else if (step === null) expect(broken.code).toBe(0);
      else {
        expect(broken.code).toBe(1);
        expect(broken.output).toMatch(new RegExp(`✗ ${step} `));
        expect(broken.output).toContain("Run the command again to go on");
      }
      const before = existsSync(person.folder) ? readdirSync(person.folder).map((file) => person.secret(file)) : [];

      cloudflare.faults.clear();
      cloudflare.onFault = () => {};
      const mended = await person.deploy();
      expect(mended).toMatchObject({ code: 0 });
      expect(await person.left()).toEqual(expected);
      expect(readdirSync(person.folder).sort()).toEqual(["admin-token", "master-key"]);
      for (const secret of [person.secret("master-key"), person.secret("admin-token")])
        expect(before).toContain(secret);
      const key = keyIn(mended) ?? keyIn(broken) ?? "";
      expect((await person.call(key, "GET", "/v1/jobs")).status).toBe(200);
    },
  );

  it("a token that may not do it is said so, and nothing is made", async () => {
    const person = await arrive();
    const { code, output } = await person.deploy({ env: { CLOUDFLARE_API_TOKEN: "another" } });
    expect(code).toBe(1);
    expect(output).toMatch(/✗ look +failed\n\n {2}.*Authentication error \[code: 10000\]/s);
    expect(output).toContain("Done already: sign-in.\nNot done yet: look, secrets, database");
    expect(person.cloudflare.changes).toEqual([]);
    expect(existsSync(person.folder)).toBe(false);
  });

  it.runIf(FULL_SIZE)("a name, a domain, a place and a plan of one's own", async () => {
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

  it.runIf(FULL_SIZE)("Cloudflare's own build deploys without a question, and shows no key", async () => {
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

  it.runIf(FULL_SIZE)("an account without a workers.dev subdomain is told where to choose one", async () => {
    const person = await arrive();
    person.cloudflare.state.subdomain = null;
    const stopped = await person.deploy();
    expect(stopped.code).toBe(1);
    expect(stopped.output).toMatch(
      new RegExp(`✗ deploy +failed.*dash\\.cloudflare\\.com/${ACCOUNT}/workers/onboarding`, "s"),
    );
    person.cloudflare.state.subdomain = "stand-in";
    expect(await person.deploy()).toMatchObject({ code: 0 });
    expect(await person.left()).toEqual(expected);
  });

  it.runIf(FULL_SIZE)("several accounts are listed, and none is guessed", async () => {
    const person = await arrive();
    person.cloudflare.accounts.push({ id: "f".repeat(32), name: "Another" });
    const { code, output } = await person.deploy({ env: { CLOUDFLARE_ACCOUNT_ID: undefined } });
    expect(code).toBe(1);
    expect(output).toMatch(/✗ sign-in +failed.*CLOUDFLARE_ACCOUNT_ID.*f{32} {2}Another/s);
    expect(person.cloudflare.changes).toEqual([]);
  });

  it.runIf(FULL_SIZE)("a Worker or a database of somebody else's is left alone", async () => {
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

  it.runIf(FULL_SIZE)("no new master key is made for accounts that were made with another", async () => {
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
});
