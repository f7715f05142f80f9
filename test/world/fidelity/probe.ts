// The Worker that runs in the real workerd and in the world: an object that can do a few small things, and programs that have it do
// them. A program answers with what it saw; nothing in it depends on how long anything took.

import { DurableObject } from "cloudflare:workers";

type Storage = DurableObjectStorage;
type Seen = unknown;

/** An instance counts its calls: a new one begins anew. */
export class Probe extends DurableObject {
  #calls = 0;

  async call(name: string, given?: unknown): Promise<Seen> {
    this.#calls += 1;
    const doing = DOINGS[name];
    if (!doing) throw new Error(`no ${name}`);
    return doing(this.ctx, given, this.env as unknown as Env);
  }

  async calls(): Promise<number> {
    return ++this.#calls;
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const { storage } = this.ctx;
    const shown = (await storage.getAlarm()) === null ? "none" : "another";
    log(storage, `alarm ${info?.retryCount} ${info?.isRetry} ${shown}`);
    await DOINGS[storage.kv.get<string>("on alarm") ?? "nothing"]?.(this.ctx, undefined, this.env as unknown as Env);
  }
}

interface Env {
  readonly PROBES: DurableObjectNamespace<Probe>;
  readonly DB: D1Database;
}

const log = ({ kv }: Storage, line: string): void => kv.put("log", [...(kv.get<string[]>("log") ?? []), line]);
const logOf = ({ kv }: Storage): string[] => kv.get<string[]>("log") ?? [];
const wait = (ms: number): Promise<void> => scheduler.wait(ms);
const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What an object can be told to do. */
const DOINGS: Record<string, (ctx: DurableObjectState, given: unknown, env: Env) => Seen> = {
  nothing: () => undefined,
  put: ({ storage }, given) => storage.kv.put("value", given),
  get: ({ storage }) => storage.kv.get("value"),
  log: ({ storage }) => logOf(storage),
  echo: (_, given) => given,
  name: ({ id }) => id.name,
  throw: () => {
    throw new RangeError("as it was told");
  },
  "on alarm": ({ storage }, given) => storage.kv.put("on alarm", given),
  "set alarm": ({ storage }, given) => storage.setAlarm(Date.now() + Number(given)),
  "get alarm": async ({ storage }) => (await storage.getAlarm()) !== null,
  "delete alarm": ({ storage }) => storage.deleteAlarm(),
  "alarm is as set": async ({ storage }) => {
    const at = Date.now() + 100_000;
    await storage.setAlarm(at);
    return (await storage.getAlarm()) === at;
  },
  again: async ({ storage }) => {
    storage.kv.put("on alarm", "nothing");
    await storage.setAlarm(Date.now() + 20);
  },
  "throw once": ({ storage }) => {
    storage.kv.put("on alarm", "nothing");
    throw new Error("once");
  },
  "set alarm and throw": async ({ storage }) => {
    storage.kv.put("on alarm", "nothing");
    await storage.setAlarm(Date.now() + 20);
    throw new Error("after setting one");
  },
  "die once": async (ctx) => {
    ctx.storage.kv.put("on alarm", "nothing");
    await ctx.storage.sync();
    ctx.abort("as it was told");
    await wait(1_000);
  },
  erase: ({ storage }) => storage.deleteAll(),
  "erase and throw": async ({ storage }) => {
    await storage.deleteAll();
    throw new Error("after erasing");
  },
  "erase, then log": async ({ storage }) => {
    await storage.deleteAll();
    log(storage, "erased");
  },
  "work until told": async ({ storage }) => {
    log(storage, "begins");
    while (storage.kv.get("told") !== true) await wait(10);
    log(storage, "ends");
  },
  tell: ({ storage }) => storage.kv.put("told", true),
  values: ({ storage: { kv } }) => {
    const list = [1, 2];
    kv.put("a", list);
    list.push(3);
    kv.put("b", { at: new Date(5), map: new Map([["k", 1]]), none: null });
    const b = kv.get<{ at: Date; map: Map<string, number>; none: null }>("b");
    const [one, other] = [kv.get("a"), kv.get("a")];
    const isOwn = one !== other;
    return [kv.get("a"), isOwn, b?.at.getTime(), b?.map.get("k"), b?.none, kv.get("missing") === undefined];
  },
  keys: ({ storage: { kv } }) => {
    for (const key of ["b", "a", "c"]) kv.put(key, key);
    return [kv.delete("b"), kv.delete("b"), [...kv.list()].map(([key]) => key)];
  },
  "async values": async ({ storage }) => {
    await storage.put("a", { b: 1 }, { allowUnconfirmed: true });
    return [await storage.get("a"), storage.kv.get("a"), await storage.delete("a"), await storage.get("a")];
  },
  table: ({ storage: { sql } }) => {
    sql.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT) WITHOUT ROWID");
    const inserted = sql.exec("INSERT INTO t VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING RETURNING n").toArray();
    const again = sql.exec("INSERT INTO t VALUES (2, 'c'), (3, 'd') ON CONFLICT DO NOTHING RETURNING n").toArray();
    return [inserted, again, sql.exec("SELECT n, s FROM t ORDER BY n DESC").toArray()];
  },
  cursor: ({ storage: { sql } }) => {
    sql.exec("CREATE TABLE t (n INTEGER)");
    for (let n = 0; n < 4; n++) sql.exec("INSERT INTO t VALUES (?)", n);
    const seen: unknown[] = [];
    for (const row of sql.exec("SELECT n FROM t")) if (seen.push(row) === 2) break;
    const failed = [
      () => sql.exec("SELECT n FROM t").one(),
      () => sql.exec("SELECT nothing"),
      () => sql.exec("INSERT INTO no VALUES (1)"),
    ];
    return [seen, sql.exec<{ c: number }>("SELECT count(*) AS c FROM t").one(), failed.map(throws)];
  },
  "table is gone": async ({ storage }) => {
    storage.sql.exec("CREATE TABLE t (n INTEGER)");
    storage.kv.put("a", 1);
    await storage.setAlarm(Date.now() + 100_000);
    await storage.deleteAll();
    const left = storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 't'").toArray();
    return [left, storage.kv.get("a"), await storage.getAlarm()];
  },
  "write and abort": (ctx) => {
    ctx.storage.kv.put("value", "written");
    ctx.abort("as it was told");
  },
  "write, sync and abort": async (ctx) => {
    ctx.storage.kv.put("value", "written");
    await ctx.storage.sync();
    ctx.abort("as it was told");
    await wait(1_000);
  },
  "write and throw": ({ storage }) => {
    storage.kv.put("value", "written");
    throw new Error("after a write");
  },
  block: async (ctx, given) => {
    const { storage } = ctx;
    log(storage, `${given} asks`);
    const blocked = ctx.blockConcurrencyWhile(async () => {
      log(storage, `${given} begins`);
      await wait(60);
      log(storage, `${given} ends`);
      return given;
    });
    log(storage, `${given} has asked`);
    return blocked;
  },
  "block twice": async (ctx) => {
    const one = (name: string) =>
      ctx.blockConcurrencyWhile(async () => {
        log(ctx.storage, `${name} begins`);
        await wait(20);
        log(ctx.storage, `${name} ends`);
      });
    await Promise.all([one("first"), one("second")]);
  },
  "block and throw": (ctx) =>
    ctx.blockConcurrencyWhile(async () => {
      await wait(1);
      throw new Error("in the block");
    }),
  note: ({ storage }, given) => log(storage, String(given)),
  "timer meets a block": async (ctx) => {
    const { storage } = ctx;
    const rang = new Promise<void>((resolve) =>
      setTimeout(() => {
        log(storage, "timer");
        resolve();
      }, 10),
    );
    await ctx.blockConcurrencyWhile(async () => {
      await wait(60);
      log(storage, "block ends");
    });
    await rang;
  },
  later: (ctx) => {
    ctx.waitUntil(wait(40).then(() => log(ctx.storage, "later")));
    log(ctx.storage, "answered");
  },
  timers: async ({ storage }) => {
    const cleared = setTimeout(() => log(storage, "cleared"), 5);
    setTimeout(() => log(storage, "40"), 40);
    setTimeout((word: string) => log(storage, word), 5, "5");
    clearTimeout(cleared);
    let count = 0;
    const ticks = setInterval(() => {
      log(storage, "tick");
      if (++count === 2) clearInterval(ticks);
    }, 100);
    await wait(600);
    return logOf(storage);
  },
  microtasks: async ({ storage }) => {
    setTimeout(() => log(storage, "timer"), 0);
    queueMicrotask(() => log(storage, "microtask"));
    await Promise.resolve();
    log(storage, "promise");
    await wait(5);
    return logOf(storage);
  },
};

const throws = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

/** Speaks to one object of its own. */
class Client {
  readonly #env: Env;
  readonly #name: string;

  constructor(env: Env, name: string) {
    this.#env = env;
    this.#name = name;
  }

  call(doing: string, given?: unknown): Promise<Seen> {
    return this.#env.PROBES.getByName(this.#name).call(doing, given) as Promise<Seen>;
  }

  calls(): Promise<number> {
    return this.#env.PROBES.getByName(this.#name).calls();
  }

  async fails(doing: string, given?: unknown): Promise<string> {
    try {
      await this.call(doing, given);
      return "did not fail";
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  /** Waits until the log has so many lines. */
  async until(lines: number): Promise<void> {
    while (((await this.call("log")) as string[]).length < lines) await wait(20);
  }

  /** Sets the alarm, waits until its rings are over, and a little longer. */
  async rings(onAlarm: string, lines: number, forMs = 200): Promise<Seen> {
    await this.call("on alarm", onAlarm);
    await this.call("set alarm", 10);
    await this.until(lines);
    await wait(forMs);
    return [await this.call("log"), await this.call("get alarm")];
  }
}

const TABLE = "CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY NOT NULL, n INTEGER, key TEXT UNIQUE)";

/** Each in an object of its own. */
export const PROGRAMS: Record<string, (client: Client, env: Env) => Promise<Seen>> = {
  "values are copies, and keep their types": (p) => p.call("values"),
  "keys are sorted, and deleted once": (p) => p.call("keys"),
  "the asynchronous interface sees the same values": (p) => p.call("async values"),
  "an insert returns the rows it has made": (p) => p.call("table"),
  "a cursor may be left, and statements that fail throw": (p) => p.call("cursor"),
  "deleteAll takes values, tables and the alarm": (p) => p.call("table is gone"),
  "an object knows its name": async (p, { PROBES }) => [
    await PROBES.getByName("its/name").call("name"),
    await p.call("nothing"),
  ],

  "a write is lost with its instance": async (p) => [(await p.fails("write and abort")) !== "", await p.call("get")],
  "a write that was waited for stays": async (p) => [
    (await p.fails("write, sync and abort")) !== "",
    await p.call("get"),
  ],
  "a write stays although its call throws": async (p) => [await p.fails("write and throw"), await p.call("get")],
  "an instance that was aborted is followed by a new one": async (p) => [
    await p.calls(),
    await p.calls(),
    (await p.fails("write and abort")) !== "",
    await p.calls(),
  ],

  "a value goes as a copy": async (p) => {
    const given = { list: [1] };
    const answer = p.call("echo", given);
    given.list.push(2);
    return answer;
  },
  "dates, maps and nothing travel": async (p) => {
    const seen = (await p.call("echo", { at: new Date(7), map: new Map([[1, "a"]]), none: undefined })) as {
      at: Date;
      map: Map<number, string>;
    };
    return [seen.at.getTime(), seen.map.get(1), Object.keys(seen).sort(), (await p.call("nothing")) === undefined];
  },
  "an exception arrives with its message": (p) => p.fails("throw"),
  "a method that is not there fails": async (_p, { PROBES }) => {
    const stub = PROBES.getByName("no method") as unknown as Record<string, () => Promise<unknown>>;
    return stub.missing?.().then(
      () => "did not fail",
      () => "fails",
    );
  },
  "other calls come in while one waits": async (p) => {
    const slow = p.call("work until told");
    await p.until(1);
    await p.call("note", "two");
    await p.call("tell");
    await slow;
    return p.call("log");
  },
  "no call comes in while one blocks": async (p) => {
    const slow = p.call("block", "one");
    await wait(20);
    await p.call("note", "two");
    await slow;
    return p.call("log");
  },
  "blocks come one after the other": async (p) => {
    await p.call("block twice");
    return p.call("log");
  },
  "a block that is asked for while another runs waits": async (p) => {
    await Promise.all([p.call("block", "one"), wait(20).then(() => p.call("block", "two"))]);
    return p.call("log");
  },
  "a block that throws ends its instance": async (p) => [
    await p.calls(),
    (await p.fails("block and throw")) !== "did not fail",
    await p.calls(),
  ],
  "a timer waits for a block": async (p) => {
    await p.call("timer meets a block");
    return p.call("log");
  },
  "what an answer does not wait for is done": async (p) => {
    await p.call("later");
    const before = await p.call("log");
    await p.until(2);
    return [before, await p.call("log")];
  },
  "timers ring in their order, and may be cleared": (p) => p.call("timers"),
  "microtasks come before timers": (p) => p.call("microtasks"),

  "an alarm is set for its moment": (p) => p.call("alarm is as set"),
  "an alarm rings once, and is gone": (p) => p.rings("nothing", 1),
  "an alarm of the past rings": async (p) => {
    await p.call("set alarm", -5_000);
    await p.until(1);
    return [await p.call("log"), await p.call("get alarm")];
  },
  "an alarm that is deleted does not ring": async (p) => {
    await p.call("set alarm", 400);
    await p.call("delete alarm");
    await wait(600);
    return [await p.call("log"), await p.call("get alarm")];
  },
  "an alarm that is set again rings once": async (p) => {
    await p.call("set alarm", 100_000);
    await p.call("set alarm", 20);
    await p.until(1);
    await wait(100);
    return [await p.call("log"), await p.call("get alarm")];
  },
  "a handler may set the next alarm": (p) => p.rings("again", 2),
  "a handler that throws is rung again": (p) => p.rings("throw once", 2),
  "a handler that sets an alarm and throws has set it": (p) => p.rings("set alarm and throw", 2),
  "a handler whose instance is aborted is rung again": (p) => p.rings("die once", 2),
  "a handler that erases everything is not rung again": (p) => p.rings("erase, then log", 1),
  "a handler that erases everything and throws is not rung again": async (p) => {
    await p.call("on alarm", "erase and throw");
    await p.call("set alarm", 10);
    while (await p.call("get alarm")) await wait(20);
    await wait(3_000);
    return [await p.call("log"), await p.call("get alarm")];
  },
  "an alarm that a call sets while the handler runs stays": async (p) => {
    await p.call("on alarm", "work until told");
    await p.call("set alarm", 10);
    await p.until(2);
    const before = await p.call("get alarm");
    await p.call("set alarm", 100_000);
    const after = await p.call("get alarm");
    await p.call("tell");
    await p.until(3);
    return [before, after, await p.call("log"), await p.call("get alarm")];
  },
  "an alarm that a call sets for a moment in the handler's time rings when it has returned": async (p) => {
    await p.call("on alarm", "work until told");
    await p.call("set alarm", 10);
    await p.until(2);
    await p.call("on alarm", "nothing");
    await p.call("set alarm", 10);
    await wait(100);
    await p.call("tell");
    await p.until(4);
    return [await p.call("log"), await p.call("get alarm")];
  },

  "a batch is one transaction": async (_p, { DB }) => {
    await DB.prepare(TABLE).run();
    const add = (id: string, key: string) => DB.prepare("INSERT INTO things VALUES (?, 1, ?)").bind(id, key);
    const failed = await DB.batch([add("batch 1", "same"), add("batch 2", "same")]).then(
      () => "did not fail",
      (thrown) => /UNIQUE constraint failed: things\.key/.test(messageOf(thrown)),
    );
    return [failed, (await DB.prepare("SELECT * FROM things WHERE id LIKE 'batch%'").all()).results];
  },
  "an insert that meets another returns nothing": async (_p, { DB }) => {
    await DB.prepare(TABLE).run();
    const add = () =>
      DB.prepare("INSERT INTO things VALUES ('twice', 1, 'twice') ON CONFLICT DO NOTHING RETURNING id").all();
    return [(await add()).results, (await add()).results];
  },
  "rows come as objects, or as arrays with every column": async (_p, { DB }) => {
    const statement = DB.prepare("SELECT 1 AS a, 2 AS a, 'x' AS b, NULL AS c");
    return [(await statement.all()).results, await statement.raw(), await statement.first()];
  },
  "many rows are one value": async (_p, { DB }) => {
    await DB.prepare(TABLE).run();
    const rows = JSON.stringify([{ id: "json 1" }, { id: "json 2" }]);
    const insert =
      "INSERT INTO things (id, n) SELECT given.value ->> 'id', 7 FROM json_each(?1) AS given WHERE true RETURNING id, n";
    return (await DB.prepare(insert).bind(rows).all()).results;
  },
  "changes are counted": async (_p, { DB }) => {
    await DB.prepare(TABLE).run();
    await DB.prepare("INSERT INTO things VALUES ('counted 1', 1, NULL), ('counted 2', 2, NULL)").run();
    const updated = await DB.prepare("UPDATE things SET n = 3 WHERE id LIKE 'counted%' AND n > ?").bind(1).run();
    return [updated.meta.changes, updated.success];
  },
  "undefined is no value, true is one": async (_p, { DB }) => {
    const failed = await (async () => DB.prepare("SELECT ?1 AS a").bind(undefined).all())().then(
      () => "did not fail",
      () => "fails",
    );
    return [failed, (await DB.prepare("SELECT ?1 AS a, ?2 AS b").bind(true, null).all()).results];
  },
  "a statement that cannot be is refused": async (_p, { DB }) =>
    await DB.prepare("SELECT nothing FROM nowhere")
      .all()
      .then(
        () => "did not fail",
        (thrown) => /D1_ERROR.*SQLITE_ERROR/.test(messageOf(thrown)),
      ),

  "a reader that leaves is seen by the writer": async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const first = writer.write(new Uint8Array([1]));
    const seen = (await reader.read()).value?.length;
    await first;
    await reader.cancel();
    const second = await writer.write(new Uint8Array([2])).then(
      () => "written",
      () => "fails",
    );
    return [seen, second];
  },
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name = new URL(request.url).searchParams.get("program") ?? "";
    const program = PROGRAMS[name];
    if (!program) return Response.json(Object.keys(PROGRAMS));
    try {
      return Response.json({ saw: (await program(new Client(env, name), env)) ?? null });
    } catch (thrown) {
      return Response.json({ threw: messageOf(thrown) });
    }
  },
  scheduled() {},
};
