// Faults of flows: an attempt that starts without its flow's word, slots that are lost or given twice, limits that do not hold.

import { fault, type KnownFault } from "./fault.ts";

const FLOW = "src/domain/flow.ts";
const CLAIM = "src/domain/flow-claim.ts";
const TURN = "src/objects/job/flow-turn.ts";
const FLOW_KEEPER = "src/objects/flow/flow-keeper.ts";
const FLOW_OBJECT = "src/objects/flow/flow-object.ts";
const LINE = "src/objects/flow/line.ts";

export const FLOW_FAULTS: readonly KnownFault[] = [
  // 17. An attempt of a flow starts after its FlowObject has said so.
  fault(
    17,
    "a flow that does not answer lets an attempt start",
    TURN,
    "      record.write(claims.unanswered(present, Math.random(), now), now);\n      return undefined;",
    "      return { ...job, claim: null };",
    "flow-keeper",
  ),
  fault(
    17,
    "whoever has to wait starts all the same",
    TURN,
    "      record.write(life.standInLine(present, now), now);\n      return undefined;",
    "      return claims.withTurn(job, now);",
    "flow-keeper",
  ),
  fault(
    17,
    "a pause is not looked at for what was offered",
    TURN,
    'if (turn === "wait") record.write',
    'if (turn === "wait") return "now";\n  if (turn === "wait") record.write',
    "flow-keeper",
  ),
  fault(
    17,
    "a turn holds for an hour",
    CLAIM,
    "export const TURN_MS = SECOND;",
    "export const TURN_MS = 60 * MINUTE;",
    "flow-keeper",
  ),
  fault(
    17,
    "a slot is not given back after its attempt",
    TURN,
    "  const heard = await ask(\n    () => flowAt(env, ref).release(ref, ticket, claims.endOf(job), claims.startOf(job)),\n    PATIENCE_MS,\n  );",
    "  const heard = { ok: true };",
    "flow-keeper",
  ),
  fault(
    17,
    "a job that is edited into another flow keeps its slot in the first",
    CLAIM,
    "if (claim === null || claim.flow !== flow || isEnded(phase)) return false;",
    "if (claim === null || isEnded(phase)) return false;",
    "flow-mover",
  ),
  fault(
    17,
    "a paused flow lets keep what it gave before",
    FLOW_KEEPER,
    "if (flow.paused || !rules.mayStartStill",
    "if (!rules.mayStartStill",
    "flow-keeper",
  ),
  fault(17, "a paused flow starts what waits", FLOW, "  if (flow.paused) return 0;\n", "", "flow-keeper"),
  // 18. A slot is written before its owner is called, and ends by itself.
  fault(
    18,
    "a slot is free when its owner is called, not when its attempt is over",
    FLOW_KEEPER,
    "    if (use.until === null) {\n      this.#end(ticket, use.end, now, use.startedAt);",
    '    if (use !== undefined) {\n      this.#end(ticket, "neither", now);',
    "flow-keeper",
  ),
  fault(
    18,
    "a slot that nobody gives back is held for ever",
    FLOW_KEEPER,
    "    if (running > 0) moments.push(this.line.nextCheck);\n",
    "",
    "flow-keeper",
  ),
  fault(
    18,
    "those in line are not called",
    FLOW_KEEPER,
    "    if (called.length > 0) this.#ctx.waitUntil(this.#call(flow, called, turnEndsAt(flow, now)));\n",
    "",
    "flow-keeper",
  ),
  fault(
    18,
    "a slot is given without a look at those that run",
    FLOW,
    "Math.max(0, flow.concurrency - running)",
    "flow.concurrency",
    "flow-keeper",
  ),
  fault(
    "flows",
    "the last in line is the first served",
    LINE,
    '"SELECT * FROM line ORDER BY due_at, job_id LIMIT ?"',
    '"SELECT * FROM line ORDER BY due_at DESC, job_id LIMIT ?"',
    "flow-keeper",
    "calm",
  ),
  fault(
    "flows",
    "a newcomer goes before those in line",
    FLOW_KEEPER,
    "if (this.line.waiting === 0 && rules.room",
    "if (rules.room",
    "flow-keeper",
    "late-alarms", // else its alarm rings as soon as there is room
  ),
  fault(
    "flows",
    "a rate forgets what it counted",
    FLOW,
    "counted(flow.window, flow.rate, tickets.length, now)",
    "counted([], flow.rate, tickets.length, now)",
    "flow-keeper",
    "calm",
  ),
  fault(
    "flows",
    "a breaker never opens",
    FLOW,
    "if (failures < breaker.failures) return",
    "if (failures < 1_000) return",
    "flow-keeper",
    "calm",
  ),
  fault(
    "flows",
    "an open breaker lets all of them try",
    FLOW,
    "return now >= openUntil && probe === null ? 1 : 0;",
    "return now >= openUntil ? Number.POSITIVE_INFINITY : 0;",
    "flow-keeper",
    "calm",
  ),
  fault(
    "flows",
    "a breaker closes when its attempt fails",
    FLOW,
    'if (end === "failed") return { ...flow, probe: null, openUntil: now + durationMs(breaker.pause) };',
    "",
    "flow-keeper",
    "calm",
  ),
  fault(
    "flows",
    "a breaker's end is told, and its pause is not",
    FLOW,
    'return telling({ ...flow, failures, openUntil: now + durationMs(breaker.pause) }, "flow.paused", now);',
    "return { ...flow, failures, openUntil: now + durationMs(breaker.pause) };",
    "flow-keeper",
  ),
  fault(
    "flows",
    "a resumed flow does not call those in line",
    FLOW_OBJECT,
    "    this.#keeper.record.write(changed, now);\n    this.#keeper.fill(now);",
    "    this.#keeper.record.write(changed, now);",
    "flow-keeper",
    "late-alarms", // else its alarm does it at once
  ),
  fault(
    "flows",
    "a deleted account leaves its flows",
    "src/store/retention.ts",
    '  if (key !== undefined) return (await leaving.flow({ accountId, key })) ? "again" : "over";\n',
    "",
    "leaver",
  ),
];
