// `chronos-edge flows …`

import type { Command } from "commander";
import type { Delay, Flow, FlowRate } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { usage } from "../failure.ts";
import { moment, relative } from "../moments.ts";
import { type Cell, facts, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { count, duration, rate } from "../values.ts";
import { forEachId, readList, takeListSize } from "./lists.ts";

export function flowCommands(program: Command, bind: Bind): void {
  const flows = program.command("flows").description("limits that jobs share");
  takeListSize(flows.command("list").description("all flows, by key")).action(bind(list));
  flows.command("get").description("one flow").argument("<key>").action(bind(get));
  flows
    .command("put")
    .description("set the limits of a flow, and make it if there is none; what is left out is without limit")
    .argument("<key>")
    .option("--concurrency <n>", "so many attempts at once", count)
    .option("--rate <n/span>", "so many starts in a span, such as 100/1m", rate)
    .option("--breaker <n>", "pause after so many failures in a row", count)
    .option("--breaker-pause <span>", "for so long, such as 5m", duration)
    .action(bind(put));
  const change = (name: string, description: string) =>
    flows.command(name).description(description).argument("<key...>");
  change("pause", "start nothing until resume").action(
    bind(forEachId(({ chronos }, key) => chronos.flows.pause(key), said)),
  );
  change("resume", "let flows go on").action(bind(forEachId(({ chronos }, key) => chronos.flows.resume(key), said)));
  change("delete", "delete flows; what waits goes on without limits").action(
    bind(forEachId(deleted, ({ key }) => `${key}  deleted`)),
  );
}

async function list(context: Context, _: [], { limit, all }: { limit: number; all?: boolean }): Promise<void> {
  const flows = await readList((size) => context.chronos.flows.list({ size }), limit, all);
  context.print(flows, () => flowTable(context.terminal, flows, context.now));
}

async function get({ chronos, terminal, now, print }: Context, [key]: [string]): Promise<void> {
  const flow = await chronos.flows.get(key);
  print(flow, () => flowFacts(terminal, flow, now));
}

interface PutOptions {
  concurrency?: number;
  rate?: FlowRate;
  breaker?: number;
  breakerPause?: Delay;
}

async function put({ chronos, terminal, now, print }: Context, [key]: [string], options: PutOptions): Promise<void> {
  const { concurrency, rate, breaker: failures, breakerPause: pause } = options;
  if ((failures === undefined) !== (pause === undefined)) throw usage("--breaker and --breaker-pause go together");
  const breaker = failures !== undefined && pause !== undefined ? { failures, pause } : undefined;
  const flow = await chronos.flows.put(key, { concurrency, rate, breaker });
  print(flow, () => flowFacts(terminal, flow, now));
}

async function deleted({ chronos }: Context, key: string): Promise<{ key: string }> {
  await chronos.flows.delete(key);
  return { key };
}

const said = (flow: Flow): string => `${flow.key}  ${stateOf(flow)}`;

const stateOf = ({ paused, pausedUntil }: Flow): string =>
  paused ? "paused" : pausedUntil === null ? "open" : "paused by its breaker";

const spanOf = ({ value, unit }: Delay): string => (value === 1 ? unit : `${value} ${unit}s`);

const rateOf = ({ rate }: Flow): string => (rate === null ? "" : `${rate.limit} per ${spanOf(rate.period)}`);

const cellOf = (flow: Flow): Cell => ({ text: stateOf(flow), style: stateOf(flow) !== "open" ? "yellow" : "green" });

function flowTable(terminal: Terminal, flows: readonly Flow[], now: number): string {
  if (flows.length === 0) return "No flows.";
  const rows = flows.map((one): Cell[] => [
    one.key,
    cellOf(one),
    String(one.waiting),
    String(one.running),
    relative(one.oldestWaitingSince, now),
    one.concurrency === null ? "" : String(one.concurrency),
    rateOf(one),
  ]);
  return table(terminal, ["KEY", "STATE", "WAITING", "RUNNING", "OLDEST", "AT ONCE", "RATE"], rows);
}

function flowFacts(terminal: Terminal, one: Flow, now: number): string {
  const { breaker } = one;
  return facts(terminal, [
    ["key", one.key],
    ["state", cellOf(one)],
    ["next try", moment(one.pausedUntil, now)],
    ["waiting", String(one.waiting)],
    ["running", String(one.running)],
    ["oldest", moment(one.oldestWaitingSince, now)],
    ["at once", one.concurrency === null ? "any number" : `at most ${one.concurrency}`],
    ["rate", rateOf(one) || "any"],
    ["breaker", breaker ? `pauses for ${spanOf(breaker.pause)} after ${breaker.failures} failures in a row` : "none"],
    ["created", moment(one.createdAt, now)],
  ]);
}
