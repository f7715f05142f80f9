// Faults that the service had, or would have if a rule of its design were not kept: each is a change of the source. A world that does
// not notice one of them judges too little. A change that does not fit the source any more fails its test: it has to follow.

import { fault, type KnownFault } from "./fault.ts";
import { FLOW_FAULTS } from "./flows.ts";
import { FURTHER_FAULTS } from "./further.ts";

const ERRANDS = "src/objects/job/errands.ts";
const KEEPER = "src/objects/job/job-keeper.ts";
const JOB_OBJECT = "src/objects/job/job-object.ts";
const LIFE = "src/domain/life.ts";
const AGENDA = "src/domain/agenda.ts";
const RECORD = "src/objects/state-record.ts";
const REPORTING = "src/domain/reporting.ts";
const APPLY = "src/store/apply-reports.ts";
const JOBS_STORE = "src/store/jobs-store.ts";
const CREATE = "src/objects/job/create-job.ts";
const SCHEDULE = "src/objects/schedule/errands.ts";
const CHANGE = "src/objects/job/change-job.ts";
const UPGRADE = "src/domain/upgrade.ts";
const CRON = "src/cron/minute.ts";
const NOMINATIONS = "src/objects/pull-queue/nominations.ts";
const STANDING = "src/accounts/standing.ts";
const CACHE = "src/accounts/cache.ts";
const HOME = "src/accounts/home.ts";

export const KNOWN_FAULTS: readonly KnownFault[] = [
  // 1. Create is insert, then arm.
  fault(
    1,
    "a job is armed although its row could not be written",
    CREATE,
    "  if (!recorded.ok) return recorded;\n  const made",
    "  if (!recorded.ok) {\n    for (const spec of specs) await armJob(env, spec, signing);\n    return recorded;\n  }\n  const made",
    "d1-away",
  ),
  fault(
    1,
    "the sweeper does not look for rows that were never armed",
    "src/store/overdue.ts",
    "AND (revision <= 0 OR report_due_at",
    "AND (revision > 0 AND report_due_at",
    "calls-lost",
  ),
  fault(
    1,
    "only the sweeper arms a job that is due soon",
    CREATE,
    "  await arm(made.filter((one) => aheadOf(one) < SOON_MS));\n",
    "",
  ),
  // 2. Only the object turns a row into state.
  fault(
    2,
    "a late arm is believed",
    JOB_OBJECT,
    "if (now - spec.createdAt > STALE_ARM_MS) await this.wake(ref);\n    else if",
    "if",
    "late-calls",
  ),
  fault(
    2,
    "an owner that has none reads no row",
    KEEPER,
    "const row = await readJob(databaseOf(this.#env, ref.accountId), ref);\n      if (!row.ok) return row;\n      if (!row.value) return err",
    "const row = await readJob(databaseOf(this.#env, ref.accountId), ref);\n      if (!row.ok) return row;\n      if (row.value !== null) return err",
    "lost-alarms",
  ),
  fault(
    2,
    "a retry by hand of a job that was let go is refused",
    KEEPER,
    "if (!isMade || hasEnded(row.value) || isOwnerless(row.value, now))",
    'if (row.value.status === "pending" || !isMade || hasEnded(row.value) || isOwnerless(row.value, now))',
    "retrier",
  ),
  fault(
    2,
    "an arm replaces what its owner holds",
    JOB_OBJECT,
    "else if (!this.#keeper.record.read()) this.#keeper.write(life.arm(spec, signing), now);",
    "else this.#keeper.write(life.arm(spec, signing), now);",
    "hasty",
  ),
  // 3. The alarm is derived.
  fault(
    3,
    "no alarm is set when the handler returns",
    RECORD,
    "      if (state) this.#setAlarm(state, Date.now());\n    } catch",
    "      void state;\n    } catch",
  ),
  fault(
    3,
    "a waiting job's earlier alarm is kept, and consumed",
    RECORD,
    "    [this.#ringsAt, this.#setFor] = [null, undefined];\n    this.#isRinging = true;",
    "    this.#isRinging = true;",
  ),
  fault(
    3,
    "an alarm of the past is not set",
    RECORD,
    "if (at === null || this.#isSetFor(at)) return;",
    "if (at === null || at <= now || this.#isSetFor(at)) return;",
  ),
  fault(
    3,
    "a wake does not repair the alarm",
    JOB_OBJECT,
    "    await this.#keeper.record.mendAlarm(Date.now());\n",
    "",
    "lost-alarms",
  ),
  fault(
    3,
    "an alarm is believed because the platform shows it",
    RECORD,
    "const isStuck = ringsAt !== null && ringsAt <= now;",
    "const isStuck = ringsAt !== null && ringsAt <= 0;",
    "lost-alarms",
  ),
  // 4. Between the write and the request there is no await; afterwards the state is read again.
  fault(
    4,
    "the request leaves before the attempt is written",
    ERRANDS,
    "  keeper.write(running, startedAt);\n  const lasting",
    "  setTimeout(() => keeper.record.isStill(job) && keeper.write(running, startedAt), 1);\n  const lasting",
    "deaths",
  ),
  fault(
    4,
    "any execution may settle the job",
    LIFE,
    'if (phase.name !== "running" || phase.executionId !== executionId) return leaseLost(job);\n  if (job.delivery.type === "pull" && now >= phase.leaseEndsAt) return leaseLost(job);\n  return ok(phase);',
    'if (phase.name !== "running") return leaseLost(job);\n  return ok(phase);',
    "worker",
  ),
  // 5. A push in flight when its instance dies is interrupted; leases expire.
  fault(
    5,
    "a push whose instance died is believed to be in flight",
    AGENDA,
    'return phase.executionId === inFlight ? "rest" : "interrupt";',
    'return "rest";',
    "deaths",
  ),
  fault(
    5,
    "an interruption has no backoff",
    LIFE,
    'waiting(now + backoffMs(interruptions, chance), "system_retry")',
    'waiting(now + 0 * backoffMs(interruptions, chance), "system_retry")',
    "deaths",
  ),
  fault(
    5,
    "an attempt is interrupted although its instance lives",
    JOB_OBJECT,
    "const job = this.#keeper.present();\n    return job ? { ...viewOf(job), wait",
    "this.#keeper.flight = null;\n    const job = this.#keeper.present();\n    return job ? { ...viewOf(job), wait",
    "reader",
  ),
  fault(5, "a lease does not end", AGENDA, 'if (now >= phase.leaseEndsAt) return "expire";', ""),
  fault(
    5,
    "a lease is given twice",
    LIFE,
    'if (phase.name !== "queued" || phase.executionId !== executionId || isTooLate(job, now)) return leaseLost(job);',
    'if ((phase.name !== "queued" && phase.name !== "running") || phase.executionId !== executionId) return leaseLost(job);',
  ),
  fault(
    5,
    "a failure waits for no backoff",
    LIFE,
    'waiting(now + retryDelayMs(job.backoff, tries, chance, retryAfterMs), "system_retry")',
    'waiting(now + 0 * retryDelayMs(job.backoff, tries, chance, retryAfterMs), "system_retry")',
  ),
  fault(
    10,
    "an insert that is applied late makes a deleted job again",
    JOBS_STORE,
    "isNotDeleted(givenValue(jobs.id), GIVEN_TICK)",
    "sql`true`",
    "d1-answers-lost",
  ),
  // 7. The read model takes the highest revision; an end is reported until it is confirmed.
  fault(
    7,
    "the last report wins, not the newest",
    APPLY,
    "eq(id, givenValue(id)), lt(revision, givenValue(revision))]",
    "eq(id, givenValue(id))]",
    "d1-late",
  ),
  fault(
    7,
    "a report that failed is not repeated",
    KEEPER,
    "    this.record.write(reportAgain(job, receipt, Math.random(), now), now);\n",
    "    this.record.write({ ...reportAgain(job, receipt, Math.random(), now), reportAt: null }, now);\n",
    "d1-away",
  ),
  fault(
    7,
    "the receipt of an earlier state confirms an end",
    REPORTING,
    "  if (revision !== job.revision) {",
    "  if (revision !== job.revision && !isEnded(job.phase)) {",
    "d1-slow",
  ),
  fault(
    7,
    "a change is reported when it is over only",
    LIFE,
    "  reportAt: now + REPORT_AFTER_MS,\n",
    "  reportAt: patch.phase !== undefined && isEnded(patch.phase) ? now + REPORT_AFTER_MS : null,\n",
  ),
  fault(
    7,
    "a lease that lasts is not reported again",
    REPORTING,
    "    reportAt: leaseReportAt(job),\n",
    "    reportAt: null,\n",
    "calm",
  ),
  fault(
    7,
    "a failed report is repeated without a pause while a worker beats",
    REPORTING,
    "job.revision === revision || (job.reportAt !== null && job.reportAt <= now);",
    "job.revision === revision || (job.reportAt !== null && job.reportAt <= 0);",
    "d1-slow",
  ),
  // 8. The cron looks ahead, sweeps, retains and recounts.
  fault(
    8,
    "nobody looks ahead: a job far ahead has no owner when it is due",
    CRON,
    '    alone("look_ahead", () => wakeApproaching(here, new Allowance(calls * SHARE.lookAhead), now)),\n',
    "",
    "far",
  ),
  // 8. Isolation is structural.
  fault(
    11,
    "a job is found by its id alone",
    JOBS_STORE,
    "and(eq(jobs.accountId, accountId), eq(jobs.id, jobId));\n\nconst ENDED",
    "and(ne(jobs.accountId, accountId.toUpperCase()), eq(jobs.id, jobId));\n\nconst ENDED",
    "reader",
  ),
  // 9. PullQueue only nominates; nobody starves behind a bad owner.
  fault(
    9,
    "an offer that no worker took is not repeated",
    LIFE,
    'phase: { name: "queued", executionId, since: now, offers: 1, offerAt: now + OFFER_AGAIN_MS[0] },',
    'phase: { name: "queued", executionId, since: now, offers: 1, offerAt: now + 1e12 },',
    "isolate-deaths",
  ),
  fault(
    9,
    "a nomination does not lapse",
    NOMINATIONS,
    "const until = now + NOMINATION_MS * 2",
    "const until = now + 1e6 * NOMINATION_MS * 2",
  ),
  // 10. A change is made where the job is kept.
  fault(
    10,
    "a cancelled attempt may change its job",
    LIFE,
    'return ok(endedEarly(job, now, { phase: ended("cancelled", now) }));',
    'return ok(job.phase.name === "running" ? job : endedEarly(job, now, { phase: ended("cancelled", now) }));',
    "canceller",
  ),
  fault(
    10,
    "a deleted job's late arm finds nothing",
    KEEPER,
    "if (now >= job.keepUntil) return this.record.erase();\n    if (!job.phase.confirmed)",
    "if (now >= 0) return this.record.erase();\n    if (!job.phase.confirmed)",
    "hasty",
  ),
  fault(
    10,
    "a replaced job keeps its time",
    LIFE,
    "phase: retimed ? waiting(scheduledFor, phase.trigger) : phase,",
    "phase,",
    "replacer",
  ),
  // 14. An execution is counted when its end first reaches its row.
  fault(
    14,
    "an end that is reported twice is counted twice",
    "src/store/settled.ts",
    "(attempt > known.attempt || (attempt === known.attempt && known.settledAt === null));",
    "attempt >= known.attempt;",
  ),
  fault(
    14,
    "what a projector counted and lost is not counted again",
    CRON,
    '    alone("recount", () => recountLost(here, new Allowance(calls * SHARE.recount), now)),\n',
    "",
    "deaths",
  ),
  // 15. An end is stored after its events exist.
  fault(
    15,
    "an event's job has another id each time",
    "src/objects/event/announce.ts",
    "return idAt(event.at, new Uint8Array(digest, 0, ID_RANDOM_BYTES));",
    "return idAt(event.at, crypto.getRandomValues(new Uint8Array(digest, 0, ID_RANDOM_BYTES)));",
    "answers-lost",
  ),
  fault(
    15,
    "an end that a retry undoes makes no events",
    LIFE,
    "untold: eventsOf(job) }));",
    "untold: [] }));",
    "retrier",
  ),
  fault(
    15,
    "an end is stored before its events exist",
    KEEPER,
    '      case "announce":\n        return isUnannounced(job) ? this.#announce(job) : undefined;',
    '      case "announce":\n        return this.#confirmed(job, report);',
  ),
  // Schedules.
  fault(
    1,
    "a tick that is repeated makes another job",
    SCHEDULE,
    "  const spec = jobOfTick(schedule, tick, newJobId(now), now);",
    "  const spec = { ...jobOfTick(schedule, tick, newJobId(now), now), idempotencyKey: null };",
    "scheduler",
  ),
  fault(
    1,
    "ticks that were slept through are not counted as missed",
    "src/domain/schedule.ts",
    "{ nextRunAt: tick, missedRuns: schedule.missedRuns + missed, heldUntil: null }",
    "{ nextRunAt: tick, heldUntil: null }",
    "scheduler",
    "late-alarms",
  ),
  // D1 may be down for an hour.
  fault(
    "D1 down",
    "a cancel needs the job's row",
    CHANGE,
    '  if (row.ok && !row.value) return err({ code: "job_not_found" });\n  if (row.ok && row.value && isOwnerless(row.value, Date.now())) return changeInRow',
    '  if (!row.ok) return row;\n  if (!row.value) return err({ code: "job_not_found" });\n  if (isOwnerless(row.value, Date.now())) return changeInRow',
    "outage",
  ),
  fault(
    "D1 down",
    "an owner reads its row before it is spoken to",
    KEEPER,
    "    const held = this.present();\n    if (held) return ok({ job: held });\n    return",
    "    const seen = this.present() && (await readJob(databaseOf(this.#env, ref.accountId), ref));\n    if (seen && !seen.ok) return seen;\n    const held = this.present();\n    if (held) return ok({ job: held });\n    return",
    "outage",
  ),
  fault(
    "D1 down",
    "a key is forgotten when its minute is over",
    CACHE,
    "const stale = known && isWithin(STALE_MS, known.askedAt, now) ? known : undefined;",
    "const stale = known && isWithin(FRESH_MS, known.askedAt, now) ? known : undefined;",
    "outage",
  ),
  fault(
    "D1 down",
    "a list is empty while D1 is away",
    "src/store/list-jobs.ts",
    "  const answer = await stored(() => db.batch([page, total, stopOf(db, walk, most)]));\n  if (!answer.ok) return answer;\n",
    "  const answer = await stored(() => db.batch([page, total, stopOf(db, walk, most)]));\n  if (!answer.ok) return ok({ jobs: [], total: 0, next: null, stoppedAt: null });\n",
    "outage",
    "reader",
  ),
  // A newer shape is left alone.
  fault(
    "shapes",
    "a newer shape is read as if it were known",
    UPGRADE,
    "if (stored.v > JOB_VERSION) throw",
    "if (stored.v > 1_000) throw",
    "rollbacks",
  ),
  fault(
    "shapes",
    "a newer shape is taken for nothing, and written over",
    UPGRADE,
    "if (stored.v > JOB_VERSION) throw",
    "if (stored.v > JOB_VERSION) return undefined as unknown as Job;\n  if (stored.v > 1_000) throw",
    "rollbacks",
  ),
  fault(
    "shapes",
    "an owner erases what it cannot read",
    RECORD,
    "      [this.#ringsAt, this.#setFor] = [Date.now() + AFTER_FAULT_MS, undefined];\n",
    "      if (this.#known === undefined) return await this.#storage.deleteAll();\n      [this.#ringsAt, this.#setFor] = [Date.now() + AFTER_FAULT_MS, undefined];\n",
    "rollbacks",
  ),
  // 19. An account lives in one database.
  fault(
    19,
    "a question to one database waits for all of them",
    HOME,
    "  return bound.binding;\n",
    '  for (const name of Object.keys(env)) if (name.startsWith("DB")) await (env as any)[name].prepare("SELECT 1").run();\n  return bound.binding;\n',
    "databases",
    "outage",
  ),
  fault(
    19,
    "rows of all accounts are written to the directory",
    HOME,
    "  const bound = databaseAt(env, home.value);\n",
    "  const bound = databaseAt(env, 0);\n",
    "databases",
    "outage",
  ),
  fault(
    19,
    "reports of all accounts go to one projector",
    "src/objects/addresses.ts",
    "env.PROJECTORS.getByName(nameOfDatabase(database), placed(env))",
    "env.PROJECTORS.getByName(nameOfDatabase(database * 0), placed(env))",
    "databases",
  ),
  // What is remembered of accounts.
  fault(
    0,
    "a suspension is known after an hour",
    "src/accounts/cache.ts",
    "export const FRESH_MS = 60 * SECOND;",
    "export const FRESH_MS = 3_600 * SECOND;",
    "operator",
  ),
  fault(
    0,
    "deliveries use the new secret during the overlap",
    "src/delivery/sign.ts",
    "hmac(new TextEncoder().encode(earlier.at(-1) ?? current)",
    "hmac(new TextEncoder().encode(current)",
    "operator",
  ),
  fault(
    0,
    "a deleted account is served",
    STANDING,
    'if (!account || account.status === "deleted") return ok({ status: "gone", signing: null });',
    'if (!account) return ok({ status: "gone", signing: null });\n  if (account.status === "deleted") return ok({ status: "active", signing: signingStateOf(account) });',
    "leaver",
  ),
  fault(
    0,
    "an expired key is served from memory",
    "src/accounts/keyring.ts",
    'account.status === "deleted" || hasExpired(key.expiresAt, clock())',
    'account.status === "deleted" || hasExpired(key.expiresAt, 0)',
    "key-holder",
  ),
  ...FURTHER_FAULTS,
  ...FLOW_FAULTS,
];
