// The same of promises that need a closer look, and of faults that the history tells of.

import { fault, type KnownFault } from "./fault.ts";

const KEEPER = "src/objects/job/job-keeper.ts";
const JOB_OBJECT = "src/objects/job/job-object.ts";
const LIFE = "src/domain/life.ts";
const RECORD = "src/objects/state-record.ts";
const REPORTING = "src/domain/reporting.ts";
const TIMER = "src/domain/timer.ts";
const APPLY = "src/store/apply-reports.ts";
const CRON = "src/cron/minute.ts";
const SCHEDULE = "src/objects/schedule/errands.ts";
const BULK = "src/domain/bulk-action.ts";
const KEYRING = "src/accounts/keyring.ts";

export const FURTHER_FAULTS: readonly KnownFault[] = [
  // 1. Create is insert, then arm; the sweep is the guarantee.
  fault(
    1,
    "the sweep does not run",
    CRON,
    '    alone("sweep", () => sweep(here, new Allowance(calls * SHARE.sweep), now)),\n',
    "",
    "calls-lost",
  ),
  // 6. The alarm does not throw.
  fault(
    6,
    "the alarm throws what nobody foresaw",
    RECORD,
    "      await this.#storage.setAlarm(this.#ringsAt);\n    } finally",
    "      throw thrown;\n    } finally",
    "rollbacks",
  ),
  fault(
    0,
    "a failure costs no retry",
    LIFE,
    "  const met = changed(job, now, {\n    tries,\n",
    "  const met = changed(job, now, {\n",
  ),
  fault(
    0,
    "the last retry is not made",
    LIFE,
    "const again = retryable && tries <= job.maxRetries;",
    "const again = retryable && tries < job.maxRetries;",
  ),
  fault(
    0,
    "a lease outlives its worker's silence",
    LIFE,
    "  leaseEndsAt: now + job.timeoutSeconds * SECOND,\n});",
    "  leaseEndsAt: now + 1e6 * job.timeoutSeconds * SECOND,\n});",
    "worker",
  ),
  fault(
    0,
    "a job that may not start later starts",
    LIFE,
    "const isTooLate = ({ expiresAt }: Job, now: number): boolean => expiresAt !== null && now >= expiresAt;",
    "const isTooLate = ({ expiresAt }: Job, now: number): boolean => expiresAt !== null && now < 0;",
  ),
  // 7. An end is reported until it is confirmed.
  fault(
    7,
    "an owner lets go of an end that nobody has confirmed",
    REPORTING,
    "isEnded(phase) && phase.confirmed && claim === null && now >= keepUntil;",
    "isEnded(phase) && claim === null && now >= keepUntil;",
  ),
  fault(
    7,
    "attempts that the read model holds are kept",
    REPORTING,
    "job.executions.filter((one) => one === last || !isStored(one));",
    "job.executions.filter((one) => one === last || isStored(one) || one !== last);",
    "calm",
  ),
  fault(
    7,
    "an edit is not part of a report",
    LIFE,
    "  return ok({ ...edited, editedAt: edited.revision });\n}\n\n/** Another job has the key",
    "  return ok(edited);\n}\n\n/** Another job has the key",
    "replacer",
  ),
  fault(
    7,
    "what D1 could not take is confirmed",
    APPLY,
    '  if (!known.ok) return reports.map(() => (known.error.isMoving ? "moving" : "unavailable"));',
    '  if (!known.ok) return reports.map(() => "stored");',
    "d1-away",
  ),
  // 8. The cron.
  fault(
    8,
    "what an account leaves is not removed",
    CRON,
    '    alone("retention", () => cleanUp(here, new Allowance(calls * SHARE.retention), now)),\n',
    "",
    "leaver",
  ),
  // 10. A person's change is made where the job is kept.
  fault(
    10,
    "a row is changed although its job has an owner",
    TIMER,
    "export const OWNERLESS_MS = ARM_AHEAD_MS + 30 * SECOND;",
    "export const OWNERLESS_MS = 2 * MINUTE;",
  ),
  fault(
    10,
    "a run does not begin before its time",
    LIFE,
    'return ok(changed(job, now, { phase: waiting(runAt, "manual_run") }));',
    'return ok(changed(job, now, { phase: waiting(phase.runAt + 0 * runAt, "manual_run") }));',
    "runner",
  ),
  // 12. A crowded instant is staggered.
  fault(
    12,
    "a crowd rings in one moment",
    "src/domain/stagger.ts",
    "return (before * STEP_MS) % MAX_STAGGER_MS;",
    "return (before * 0) % MAX_STAGGER_MS;",
    "calm",
  ),
  // 13. A bulk action writes its page before it asks, and a job remembers it.
  fault(
    13,
    "a page that was begun is forgotten",
    BULK,
    "    page: jobIds.length > 0 ? { jobIds, tries: 0 } : null,\n    matched",
    "    page: null,\n    matched",
    "bulk-actor",
  ),
  // 15. Callbacks are made before the first report; what was told is not told again.
  fault(
    15,
    "a callback waits for somebody who asks",
    KEEPER,
    "    if (hasCallback(job)) return this.#announce(job);\n",
    "",
    "caller",
  ),
  fault(
    15,
    "an end counts as told although its events could not be made",
    KEEPER,
    '    if (!isTold) return this.#failed(present, job.revision, "unavailable");\n',
    "",
    "d1-away",
  ),
  // 16. A webhook's health is written where the report of its delivery is applied.
  fault(
    16,
    "a webhook that works again is not known to",
    "src/store/webhook-reports.ts",
    "...(taken.length > 0 ? [noteTaken(db, taken)] : []), ",
    "",
    "calm",
  ),
  // Schedules.
  fault(
    "schedules",
    "a tick that D1 held up is not made later",
    SCHEDULE,
    "  if (!recorded.ok) return holdUp(record, tick);\n",
    "  if (!recorded.ok) return record.write(life.ran(schedule, tick, now), now);\n",
    "scheduler",
    "d1-away",
  ),
  // What is remembered of accounts and keys.
  fault(
    0,
    "a key opens its account as long as an isolate remembers it",
    KEYRING,
    "const found = await remembered.get(hash, clock, () => accountOfKey(directoryOf(env), hash));",
    'const seen = remembered.peek(hash);\n  const found = seen?.account.status === "active" ? ok(seen) : await remembered.get(hash, clock, () => accountOfKey(directoryOf(env), hash));',
    "leaver",
  ),
  fault(
    0,
    "a revoked key is served for an hour",
    "src/accounts/cache.ts",
    "export const FRESH_MS = 60 * SECOND;",
    "export const FRESH_MS = 3_600 * SECOND;",
    "key-holder",
  ),
  fault(
    0,
    "a key that has an end opens nothing",
    KEYRING,
    'account.status === "deleted" || hasExpired(key.expiresAt, clock())',
    'account.status === "deleted" || key.expiresAt !== null',
    "key-holder",
  ),
  // PullQueue.
  fault(
    9,
    "an execution that was leased stays in line",
    "src/objects/pull-queue/pull-queue.ts",
    "    for (const entry of this.#over.values()) this.#list.remove(entry);\n",
    "",
  ),
  fault(
    9,
    "an execution that nobody waits for any more stays in line",
    JOB_OBJECT,
    "    if (cancelled.ok && cancelled.value !== job) this.ctx.waitUntil(withdraw(this.env, cancelled.value));\n",
    "",
    "calm",
    "canceller",
  ),
  fault(
    2,
    "state that was made from a row is let go at once",
    "src/store/rows.ts",
    "    keepUntil: createdAtOf(row.id) + KEEP_MS,\n",
    "    keepUntil: 0,\n",
    "slow-calls",
    "hasty",
  ),
  // 11. Isolation is structural.
  fault(
    11,
    "a list shows the jobs of all accounts",
    "src/store/list-jobs.ts",
    "const all = and(eq(jobs.accountId, accountId), ...conditions",
    "const all = and(...conditions",
    "reader",
  ),
  // 14. An execution is counted once.
  fault(
    14,
    "an end that is held back for its events is counted",
    APPLY,
    "const written = newestOfJobs.filter((report) => !heldBack.has(keyOf(report)));",
    "const written = newestOfJobs;",
  ),
  fault(
    0,
    "a key that may only read acts on all jobs",
    "src/http/scopes.ts",
    '"POST /v1/bulk-actions": FULL,',
    '"POST /v1/bulk-actions": READ,',
    "key-holder",
  ),
  fault(
    0,
    "a worker counts as gone ten seconds after it asked",
    "src/domain/waiting-on.ts",
    "export const NO_WORKER_MS = MINUTE;",
    "export const NO_WORKER_MS = 10 * SECOND;",
    "asker",
  ),
  fault(
    0,
    "the job of a tick that was held up is overdue when it is made",
    "src/store/rows.ts",
    "Math.max(spec.scheduledFor, createdAt)",
    "spec.scheduledFor",
    "calm",
    "scheduler",
    "operator",
  ),
  // Rules that only a death, or an answer that is lost, brings out.
  fault(
    5,
    "an interruption costs a retry",
    LIFE,
    "const met = changed(job, now, { interruptions, interruptedSince, lastError: error });",
    "const met = changed(job, now, { interruptions, interruptedSince, lastError: error, tries: job.tries + 1 });",
    "deaths",
  ),
  fault(
    1,
    "who asks for a key again gives its job no owner",
    "src/objects/job/read-job.ts",
    "if (seen && isOwedAnOwner(seen, Date.now())) waitUntil(",
    'if (seen && seen.id === "") waitUntil(',
    "calls-lost",
  ),
];
