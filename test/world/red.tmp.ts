import { bundlesOf } from "./deployments.ts";
import { hasAll, natureOf } from "./nature.ts";
import { live } from "./world.ts";
const REDS: [string, string[], { file: string; from: string; to: string }[]][] = [
  ["revoked key kept", ["key-holder"], [{ file: "src/accounts/cache.ts", from: "export const FRESH_MS = 60 * SECOND;", to: "export const FRESH_MS = 600 * SECOND;" }]],
  ["expired key taken", ["key-holder"], [{ file: "src/domain/key-scope.ts", from: "expiresAt !== null && now >= expiresAt;", to: "expiresAt !== null && now >= expiresAt + 30_000;" }]],
  ["scope not asked", ["key-holder"], [{ file: "src/http/auth.ts", from: "if (!scopes.includes(scope)) throw", to: "if (scope === 'nothing') throw" }]],
  ["deleted account's jobs run", ["leaver"], [{ file: "src/accounts/accounts-store.ts", from: '.set({ status: "deleted" })', to: '.set({ status: "active" })' }]],
  ["rows of deleted stay", ["leaver"], [{ file: "src/store/retention.ts", from: 'const gone = status === "deleted";', to: "const gone = false;" }]],
  ["callback of the other end", ["caller"], [{ file: "src/domain/event.ts", from: 'return phase.name === "failed" ? (callbacks?.failed ?? null) : null;', to: "return callbacks?.failed ?? null;" }, { file: "src/domain/event.ts", from: 'if (phase.name === "completed") return callbacks?.completed ?? null;', to: 'if (phase.name === "completed") return callbacks?.failed ?? null;' }]],
  ["no callbacks", ["caller"], [{ file: "src/domain/event.ts", from: 'callback: type === "job.recovered" ? null : callbackOf(job),', to: "callback: null," }]],
  ["a queue's job is not sent", ["queuer"], [{ file: "src/delivery/enqueue.ts", from: 'await queue.send(message, { contentType: "json" });', to: "" }]],
  ["not_due for long", ["asker", "calm"], [{ file: "src/domain/waiting-on.ts", from: "if (now >= Math.max(runAt, heldUntil ?? 0) + GRACE_MS) {", to: "if (now >= Math.max(runAt, heldUntil ?? 0) - 60_000) {" }]],
  ["no_worker at once", ["asker", "calm"], [{ file: "src/domain/waiting-on.ts", from: "export const NO_WORKER_MS = MINUTE;", to: "export const NO_WORKER_MS = 0;" }]],
  ["backoff first", ["asker", "calm"], [{ file: "src/domain/waiting-on.ts", from: 'wait.phase.trigger === "system_retry" ? backoff', to: 'wait.phase.trigger !== "system_retry" ? backoff' }]],
  ["a newer shape is read", ["rollbacks"], [{ file: "src/domain/upgrade.ts", from: "if (stored.v > JOB_VERSION) throw", to: "if (stored.v > 9) throw" }]],
  ["a newer shape is thrown away", ["rollbacks"], [{ file: "src/objects/state-record.ts", from: "return stored && this.#rules.upgrade(stored);", to: "return stored && ((stored as any).newer ?? stored).v === (stored as any).v ? this.#rules.upgrade(stored) : undefined;" }]],
];
const only = process.argv[2] ?? "";
for (const [name, needs, changes] of REDS.filter(([n]) => n.includes(only))) {
  const isRecord = changes.some((c) => c.file.includes("state-record"));
  const bundles = isRecord ? [(await import("./platform/bundle.ts")).bundle(name, changes), (await bundlesOf("x"))[1]] : await bundlesOf(name, changes);
  const all = await Promise.all(bundles as any);
  let found = "NOT FOUND";
  for (let seed = 1; seed <= 120; seed++) {
    if (!hasAll(natureOf(seed), needs)) continue;
    const { violations } = await live({ seed, bundles: all as any, stopsAtViolation: true });
    if (violations.length) { found = `seed ${seed}: ${violations[0]?.rule}: ${violations[0]?.what.slice(0, 200)}`; break; }
  }
  console.log(name, "→", found);
}
