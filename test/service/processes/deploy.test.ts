// `npm run deploy` with the real wrangler against a stand-in for Cloudflare's API, whose Workers really run. The gate takes
// a few of the broken runs; `npm run test:workers` all of them.

import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FREE_WORKER_BYTES } from "../../../deploy/free-plan.ts";
import { HOST, keyIn, People, type Person } from "../../harness/cloudflare/person.ts";
import type { Ended } from "../../harness/cloudflare/run-deploy.ts";
import type { Fault } from "../../harness/cloudflare/stand-in.ts";
import { killAll, treeOf } from "../../harness/process-tree.ts";
import { FULL_SIZE } from "../../harness/size.ts";
import { until } from "../../harness/until.ts";

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

type Step = Broken["step"];

/** @param lost what the step says that was done and answered as failed; it may look, and find it done */
function ways(
  call: string,
  step: Step,
  { lost = step, quick }: { lost?: Step; quick?: Broken["fault"] } = {},
): Broken[] {
  const faults = ["refused", "lost", "killed"] as const;
  return faults.map((fault) => ({
    ...{ call, fault, step: fault === "lost" ? lost : step },
    ...(fault === quick ? { isQuick: true } : {}),
  }));
}

/** Every call that changes something, as it fails; and the process killed after it. */
const BROKEN: readonly Broken[] = [
  ...ways("POST /d1/database", "database", { lost: null }),
  ...ways("POST /queues", "queues", { lost: null }),
  ...ways(`${QUERY} CREATE d1_migrations`, "migrations"),
  ...ways(`${QUERY} CREATE account_moves`, "migrations"),
  ...ways(UPLOAD, "deploy", { quick: "lost" }),
  ...TRIGGERS.flatMap((call) => ways(call, "deploy")),
  ...ways("POST /queues/:queue/consumers", "deploy", { quick: "killed" }),
  ...ways(NEXT_VERSION[0], "address"),
  ...ways(NEXT_VERSION[1], "address"),
  ...ways(NEXT_VERSION[2], null),
  ...ways("PUT /queues/:queue/consumers/:consumer", "address"),
  ...ways("POST /v1/admin/accounts", "account", { quick: "lost" }),
  { call: UPLOAD, fault: "hangs", step: "deploy" },
];

/** Several at a time on a busy machine: a whole run is a dozen processes. */
const LIMIT = { timeout: 300_000 };

describe.concurrent("npm run deploy", LIMIT, () => {
  const { arrive, leave } = new People();
  afterAll(leave);

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
      `${QUERY} CREATE account_moves`,
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

  it("fits into what the Free plan takes", () => {
    const [, kilobytes] = /✓ deploy +chronos, (\d+) KB compressed/.exec(first.output) ?? [];
    expect(Number(kilobytes)).toBeGreaterThan(100);
    expect(Number(kilobytes) * 1024).toBeLessThan(FREE_WORKER_BYTES);
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

  it("with one more database in wrangler.toml, makes it, migrates it, and gives accounts a home there; also after it was killed", async () => {
    const person = await arrive();
    const { cloudflare } = person;
    expect(await person.deploy()).toMatchObject({ code: 0 });
    const file = join(person.clone.path, "wrangler.toml");
    appendFileSync(
      file,
      '\n[[d1_databases]]\nbinding = "DB_1"\ndatabase_name = "chronos-1"\nmigrations_dir = "migrations"\n',
    );
    cloudflare.faults.set("POST /d1/database", "hangs");
    const killed = await person.deploy({
      onStart: (child) => {
        cloudflare.onFault = () => killAll(treeOf(child.pid ?? 0));
      },
    });
    expect(killed.code).toBe(null);

    cloudflare.faults.clear();
    cloudflare.onFault = () => {};
    const grown = await person.deploy();
    expect(grown).toMatchObject({ code: 0 });
    expect(grown.output).toMatch(/✓ database +chronos(, chronos-1 are| is) there/);
    const { databases, accounts, scripts } = await person.left();
    const since = scripts[0].bindings.find(({ name }: { name: string }) => name === "DATABASES_SINCE");
    expect(Date.parse(since.text), "when the database was bound").toBeGreaterThan(Date.now() - 10 * 60_000);
    expect(await person.deploy()).toMatchObject({ code: 0 });
    expect((await person.left()).scripts[0].bindings, "which another deployment keeps").toContainEqual(since);
    expect([databases.map(({ name }: { name: string }) => name), accounts]).toEqual([["chronos", "chronos-1"], 1]);
    const made = await person.call(person.secret("admin-token"), "POST", "/v1/admin/accounts", { name: "second" });
    expect(await made.json()).toMatchObject({ data: { database: 1 } });
    expect(await cloudflare.rows("chronos-1", "SELECT name FROM accounts")).toEqual([{ name: "second" }]);
  });

  it.each(FULL_SIZE ? BROKEN : BROKEN.filter(({ isQuick }) => isQuick))(
    "goes on after $call was $fault",
    async ({ call, fault, step }) => {
      const person = await arrive();
      const { cloudflare } = person;
      cloudflare.faults.set(call, fault === "killed" ? "hangs" : fault);
      const env = fault === "hangs" ? { CHRONOS_TIMEOUT_SECONDS: "30" } : {};
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
});
