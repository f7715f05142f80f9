// The work of a FlowObject's alarm: it checks slots, grants free ones, announces the breaker's events, and writes the row.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { eventsOfFlow } from "../../domain/event.ts";
import * as rules from "../../domain/flow.ts";
import { log } from "../../log.ts";
import { removeFlow, writeFlow } from "../../store/flows-store.ts";
import { announce } from "../event/announce.ts";
import type { FlowKeeper } from "./flow-keeper.ts";

export async function runFlowErrands(keeper: FlowKeeper, env: Cloudflare.Env): Promise<void> {
  const now = Date.now();
  await keeper.check(now);
  keeper.fill(Date.now());
  const flow = keeper.record.read();
  if (flow?.reportAt != null && now >= flow.reportAt) await writeRow(keeper, env);
  await keeper.forgetIfOver();
}

/** Announces events, then writes the row. The alarm repeats it if it fails. */
export async function writeRow(
  keeper: FlowKeeper,
  env: Cloudflare.Env,
): Promise<"written" | "unavailable" | "refused"> {
  const { record } = keeper;
  const flow = record.read();
  if (!flow) return "written";
  if (flow.isDeleted) {
    const removed = await removeFlow(databaseOf(env, flow.accountId), flow, flow.rowRevision);
    if (record.read()?.isDeleted === false) return writeRow(keeper, env); // made again meanwhile: its row may have gone too
    return settle(keeper, flow, removed.ok ? "written" : "unavailable");
  }
  if (flow.news.length > 0 && !(await tell(keeper, env, flow))) return settle(keeper, flow, "unavailable");
  const written = await writeFlow(databaseOf(env, flow.accountId), flow);
  if (!written.ok) return settle(keeper, flow, "unavailable");
  if (written.value) return settle(keeper, flow, "written");
  const present = record.read();
  if (present) record.write(rules.remove({ ...present, paused: false }, Date.now()), Date.now());
  return "refused";
}

async function tell(keeper: FlowKeeper, env: Cloudflare.Env, flow: rules.Flow): Promise<boolean> {
  const { accountId, key, news } = flow;
  const standing = await standingOf(env, accountId, Date.now);
  const signing = standing.ok ? standing.value.signing : null;
  const isTold = await announce(env, { accountId, id: key, signing }, eventsOfFlow(keeper.view(flow), news));
  const present = keeper.record.read();
  if (isTold && present) keeper.record.write(rules.announced(present, news), Date.now());
  return isTold;
}

function settle(keeper: FlowKeeper, flow: rules.Flow, outcome: "written" | "unavailable") {
  const present = keeper.record.read();
  const now = Date.now();
  if (!present || present.rowRevision !== flow.rowRevision) return outcome;
  if (outcome === "written") keeper.record.write(rules.confirmed(present, flow.rowRevision, now), now);
  else {
    log("warn", "report_failed", { account_id: flow.accountId, flow: flow.key, reason: outcome });
    keeper.record.write(rules.again(present, now), now);
  }
  return outcome;
}
