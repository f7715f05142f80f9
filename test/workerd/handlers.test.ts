// GET /v1/handlers (contract §10): which handlers an account has, who waits and who asks; and how long one is listed.

import { createScheduledController, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HANDLER_LIFE_MS, MAX_HANDLERS } from "../../src/domain/handler.ts";
import worker from "../../src/index.ts";
import { handlersOf } from "../../src/objects/pull-queue/handlers.ts";
import { REGISTER_EVERY_MS, TRY_AGAIN_MS } from "../../src/objects/pull-queue/registration.ts";
import type { showHandler } from "../../src/routes/handlers.ts";
import { directoryOf } from "../../src/store/databases.ts";
import { registerHandler } from "../../src/store/handlers-store.ts";
import { type Account, newAccount, remove, removeElsewhere } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, DAY, HOUR, hurry, iso, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { databaseDown, databaseHangs } from "./harness/database.ts";
import { logs } from "./harness/logs.ts";
import { claim, queuedJob } from "./pull/worker.ts";

type HandlerJson = ReturnType<typeof showHandler>;

let account: Account;
beforeEach(async () => {
  const tables = ["accounts", "api_keys", "jobs", "handlers", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const list = async (query = "", around: object = {}, by = account) =>
  (await api<HandlerJson[]>("GET", `/v1/handlers${query}`, { key: by.key, env: around })).body;
const names = async (query = "") => (await list(query)).data.map(({ handler }) => handler);
const seenAt = (handler: string, of = account) =>
  env.DB.prepare("SELECT seen_at FROM handlers WHERE account_id = ? AND handler = ?")
    .bind(of.id, handler)
    .first<number>("seen_at");
const registered = (handler = "work") => until(async () => (await seenAt(handler)) === Date.now());
const insert = (all: readonly string[], at = NOON) =>
  env.DB.prepare("INSERT INTO handlers SELECT ?1, value, ?2 FROM json_each(?3)")
    .bind(account.id, at, JSON.stringify(all))
    .run();
const queue = (handler = "work") => env.PULL_QUEUES.getByName(`${account.id}/${handler}`);

describe("the list", () => {
  it("tells of each handler who waits and who asks, by name", async () => {
    await queuedJob(account);
    advance(SECOND);
    await queuedJob(account);
    await claim(account, { handlers: ["idle"], worker_id: "worker-1" });
    await Promise.all([registered("idle"), until(async () => (await seenAt("work")) !== null)]);
    expect(await list()).toMatchObject({
      data: [
        {
          handler: "idle",
          unavailable: false,
          waiting: 0,
          oldest_due_at: null,
          last_poll_at: iso(NOON + SECOND),
          workers: [{ worker_id: "worker-1", last_poll_at: iso(NOON + SECOND) }],
        },
        {
          handler: "work",
          unavailable: false,
          waiting: 2,
          oldest_due_at: iso(NOON),
          last_poll_at: null,
          workers: [],
        },
      ],
      meta: { paging: { page: 1, pages: 1, size: 20, total: 2 } },
    });
  });

  it("is empty before there is anything, and another account's is its own", async () => {
    await queuedJob(account);
    await registered();
    expect(await list("", {}, await newAccount())).toMatchObject({ data: [], meta: { paging: { total: 0 } } });
  });

  it("is read in pages, by name", async () => {
    await insert(["b", "e", "a", "d", "c"]);
    expect(await names("?size=2")).toEqual(["a", "b"]);
    expect(await names("?size=2&page=3")).toEqual(["e"]);
    expect((await list("?size=2&page=4")).meta.paging).toMatchObject({ page: 4, pages: 3, total: 5 });
  });

  it.each(["?size=101", "?page=0", "?cursor=x", "?handler=work"])("of %s is 422", async (query) => {
    expect((await api("GET", `/v1/handlers${query}`, { key: account.key })).status).toBe(422);
  });

  it("says of a handler whose PullQueue does not answer that it does not know, and of the others what it knows", async () => {
    await queuedJob(account);
    await insert(["broken", "silent"]);
    await registered();
    const hurried = hurry();
    const others: Record<string, object> = {
      broken: { view: () => Promise.reject(new Error("reset")) },
      silent: { view: () => new Promise(() => {}) },
    };
    const getByName = (name: string) => others[name.slice(37)] ?? env.PULL_QUEUES.getByName(name);
    const { data } = await list("", { PULL_QUEUES: { getByName } });
    hurried.end();
    const unknown = { unavailable: true, waiting: null, oldest_due_at: null, last_poll_at: null, workers: null };
    expect(data).toMatchObject([
      { handler: "broken", ...unknown },
      { handler: "silent", ...unknown },
      { handler: "work", unavailable: false, waiting: 1 },
    ]);
  });

  it("is 503 while the database is down", async () => {
    const outage = databaseDown();
    expect((await api("GET", "/v1/handlers", { key: account.key })).status).toBe(503);
    outage.end();
  });
});

describe("handlersOf", () => {
  it("tells of those that answer, and refuses when none does", async () => {
    await queuedJob(account);
    await insert(["broken"]);
    await registered();
    const broken = { view: () => Promise.reject(new Error("reset")) };
    const some = (name: string) => (name.endsWith("/broken") ? broken : env.PULL_QUEUES.getByName(name));
    const from = (getByName: (name: string) => object) => ({ ...env, PULL_QUEUES: { getByName } as never });
    expect(await handlersOf(from(some), account.id, 100)).toMatchObject({
      ok: true,
      value: [{ handler: "work", waiting: 1 }],
    });
    expect(
      await handlersOf(
        from(() => broken),
        account.id,
        100,
      ),
    ).toMatchObject({ ok: false });
    expect(await handlersOf(from(some), account.id, 1)).toMatchObject({ ok: false });
    expect(await handlersOf(env, crypto.randomUUID(), 100)).toEqual({ ok: true, value: [] });
  });
});

describe("a handler is listed", () => {
  it("from its first offer on, and from its first poll on", async () => {
    await queuedJob(account, "offered");
    await claim(account, { handlers: ["polled"] });
    await Promise.all([registered("offered"), registered("polled")]);
    expect(await names()).toEqual(["offered", "polled"]);
  });

  it("whatever its name holds", async () => {
    const name = "a/b ü \u{1F600}";
    await claim(account, { handlers: [name] });
    await registered(name);
    expect(await names()).toEqual([name]);
  });

  it("by one row a day, however often it is used", async () => {
    await claim(account, {});
    await registered();
    setClock(NOON + REGISTER_EVERY_MS - 1);
    const prepare = vi.spyOn(env.DB, "prepare");
    await queue().nominate("a poll", 1, 0);
    await queue().offer([{ jobId: "j", executionId: "e", dueAt: NOON }]);
    expect(prepare).not.toHaveBeenCalled();
    advance(1);
    await queue().nominate("a poll", 1, 0);
    await registered();
  });

  it("by an instance that does not know of the one before it, from what that has written", async () => {
    await claim(account, {});
    await registered();
    await until(() => runInDurableObject(queue(), (_, { storage }) => storage.kv.get("registered") === NOON));
    await evictDurableObject(queue());
    const prepare = vi.spyOn(env.DB, "prepare");
    advance(HOUR);
    await queue().nominate("a poll", 1, 0);
    expect(prepare).not.toHaveBeenCalled();
  });

  it.each([
    ["down", databaseDown],
    ["silent", databaseHangs],
  ])(
    "later, when the database is %s: neither an offer nor a poll waits for it or fails, and it is tried again in a minute",
    async (_, out) => {
      const hurried = hurry();
      const outage = out();
      expect(await queue().offer([{ jobId: "j", executionId: "e", dueAt: NOON }])).toBe("taken");
      expect(await queue().nominate("a poll", 1, 0)).toHaveLength(1);
      await scheduler.wait(150); // the patience with the database is over by then
      outage.end();
      hurried.end();
      advance(TRY_AGAIN_MS - 1);
      await queue().nominate("a poll", 1, 0);
      expect(await seenAt("work")).toBeNull();
      advance(1);
      await queue().nominate("a poll", 1, 0);
      await registered();
      expect(logs.of("handler_not_registered")).toEqual([]);
    },
  );

  it("not when the account is gone", async () => {
    await removeElsewhere(account);
    await registerHandler(directoryOf(env), { accountId: account.id, handler: "work" }, NOON);
    expect(await seenAt("work")).toBeNull();
  });

  it("as one of a thousand at most; those that are listed stay so", async () => {
    await insert(
      Array.from({ length: MAX_HANDLERS - 1 }, (_, n) => `invented ${n}`),
      NOON - DAY,
    );
    const register = (handler: string) => registerHandler(directoryOf(env), { accountId: account.id, handler }, NOON);
    await register("the thousandth");
    await register("one more");
    await register("invented 7");
    expect(await Promise.all(["the thousandth", "one more", "invented 7"].map((name) => seenAt(name)))).toEqual([
      NOON,
      null,
      NOON,
    ]);
    const other = await newAccount();
    await registerHandler(directoryOf(env), { accountId: other.id, handler: "work" }, NOON);
    expect(await seenAt("work", other)).toBe(NOON);
  });
});

describe("a handler is forgotten", () => {
  const cronAt = (at: number) => {
    setClock(at);
    return worker.scheduled(createScheduledController(), env);
  };

  it("seven days after it was last noted, and not a millisecond earlier", async () => {
    await insert(["old"]);
    await cronAt(NOON + HANDLER_LIFE_MS);
    expect(await seenAt("old")).toBe(NOON);
    await insert(["new"], NOON + HOUR + 1);
    await cronAt(NOON + HANDLER_LIFE_MS + HOUR);
    expect([await seenAt("old"), await seenAt("new")]).toEqual([null, NOON + HOUR + 1]);
  });

  it("with its account", async () => {
    await insert(["work"]);
    await remove(account);
    await cronAt(NOON + DAY);
    expect(await seenAt("work")).toBeNull();
  });
});
