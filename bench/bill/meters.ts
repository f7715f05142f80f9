// Counts what Cloudflare would bill, at the real bindings: their methods are wrapped once per isolate, and the code that
// calls them does not know. Rows are what the database itself says it has written, not what a statement seems to write.

export interface Meter {
  worker_requests: number;
  object_requests: number;
  d1_rows_read: number;
  d1_rows_written: number;
  object_rows_read: number;
  object_rows_written: number;
  queue_operations: number;
  /** Wall time during which an object had a call, an alarm or a poll in hand. */
  object_ms: number;
  /** What each row and operation was, in words. */
  notes: Record<string, number>;
}

export const emptyMeter = (): Meter => ({
  worker_requests: 0,
  object_requests: 0,
  d1_rows_read: 0,
  d1_rows_written: 0,
  object_rows_read: 0,
  object_rows_written: 0,
  queue_operations: 0,
  object_ms: 0,
  notes: {},
});

let meter = emptyMeter();

export function takeMeter(): Meter {
  const taken = meter;
  meter = emptyMeter();
  return taken;
}

type Count = Exclude<keyof Meter, "notes">;

export function add(what: Count, amount: number, note: string): void {
  meter[what] += amount;
  if (amount > 0 && note !== "") meter.notes[`${what}: ${note}`] = (meter.notes[`${what}: ${note}`] ?? 0) + amount;
}

// biome-ignore lint/suspicious/noExplicitAny: what is wrapped here is the platform's own and has no public type.
type Wrapped = Record<string, any>;

const wrapped = new WeakSet<object>();

/** Replaces a method for every object of the same class. */
function wrap(
  instance: object,
  name: string,
  around: (original: () => unknown, args: unknown[], self: unknown) => unknown,
) {
  let owner: Wrapped | null = instance;
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  const original = owner?.[name];
  if (!owner || typeof original !== "function") throw new Error(`the platform has no method ${name} to count at`);
  if (wrapped.has(original)) return;
  const counting = function (this: unknown, ...args: unknown[]) {
    return around(() => original.apply(this, args), args, this);
  };
  wrapped.add(counting);
  Object.defineProperty(owner, name, { value: counting, configurable: true, writable: true });
}

/** Each answer of D1 tells in `meta` what it has read and written, whichever way the statement was asked. */
export function countDatabase(db: D1Database): void {
  wrap(db.withSession("first-unconstrained"), "_send", async (original, [, statements]) => {
    const answer = (await original()) as Wrapped | Wrapped[];
    const texts = Array.isArray(statements) ? statements : [statements];
    [answer].flat().forEach((one, i) => {
      const text = texts[i];
      const note = shortened(typeof text === "string" ? text : (text?.sql ?? ""));
      add("d1_rows_read", one.meta?.rows_read ?? 0, note);
      add("d1_rows_written", one.meta?.rows_written ?? 0, note);
    });
    return answer;
  });
}

/** A statement by what it does to which table. */
const shortened = (sql: string): string =>
  /^\s*(insert( or ignore)? into|update|delete from|select)\b.*?["`(\s](jobs|executions|accounts|api_keys|schedules|retention_walk|look_ahead|overview|failures|tally_epochs|recount_walk)\b/is
    .exec(sql)
    ?.slice(1)
    .filter((part, i) => i !== 1 && part)
    .join(" ")
    .toLowerCase() ?? sql.slice(0, 40);

/** A message written, read or deleted is an operation for each 64 KB; ours are far smaller. */
export function countQueue(queue: Queue, name: string): void {
  wrap(queue, "send", (original) => {
    add("queue_operations", 1, `write to ${name}`);
    return original();
  });
  wrap(queue, "sendBatch", (original, [messages]) => {
    add("queue_operations", [...(messages as Iterable<unknown>)].length, `write to ${name}`);
    return original();
  });
}

/**
 * What an object stores. `setAlarm` is billed as one row, so is each key written or deleted; SQL tells by its cursor. `deleteAll` is
 * counted as workerd's own metrics do: a row for each key, at least one, and none for the alarm.
 */
export function countStorage(storage: DurableObjectStorage): void {
  wrap(storage.kv, "put", (original) => {
    add("object_rows_written", 1, "state");
    return original();
  });
  wrap(storage.kv, "get", (original) => {
    add("object_rows_read", 1, "state");
    return original();
  });
  wrap(storage, "setAlarm", (original, [at]) => {
    const seconds = (Number(at) - Date.now()) / 1_000;
    const rounded = seconds < 10 ? Math.round(seconds) : 5 * Math.round(seconds / 5);
    add("object_rows_written", 1, `alarm set, about ${rounded} s ahead`);
    return original();
  });
  wrap(storage, "deleteAll", async (original, _args, self) => {
    const keys = [...(self as DurableObjectStorage).kv.list()].length;
    add("object_rows_written", Math.max(1, keys), "everything deleted");
    return original();
  });
  wrap(storage.sql, "exec", (original, [statement]) => {
    const cursor = original() as SqlStorageCursor<Record<string, SqlStorageValue>>;
    const note = `pull queue: ${String(statement).trim().split(/\s+/, 2).join(" ").toLowerCase()}`;
    add("object_rows_written", cursor.rowsWritten, note);
    // What is read is known once it has been walked.
    queueMicrotask(() => add("object_rows_read", cursor.rowsRead, note));
    return cursor;
  });
}

/** Calls that come in: each is a request, and the object is billed while one of them lasts. */
export function countCalls(objectClass: { readonly prototype: object; readonly name: string }): void {
  for (const name of Object.getOwnPropertyNames(objectClass.prototype)) {
    if (name === "constructor") continue;
    wrap(objectClass.prototype, name, async (original, _args, self) => {
      add("object_requests", 1, `${objectClass.name}.${name}`);
      return inHand(self as object, original);
    });
  }
}

const calls = new WeakMap<object, { open: number; since: number }>();

/** Calls that overlap are billed once. */
async function inHand(self: object, call: () => unknown): Promise<unknown> {
  const state = calls.get(self) ?? { open: 0, since: 0 };
  calls.set(self, state);
  if (state.open++ === 0) state.since = Date.now();
  try {
    return await call();
  } finally {
    if (--state.open === 0) add("object_ms", Date.now() - state.since, "");
  }
}
