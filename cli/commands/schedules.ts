// `chronos-edge schedules …`

import type { Command } from "commander";
import type { NewSchedule, Recurrence, Schedule, ScheduleBounds, ScheduleStatus } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { usage } from "../failure.ts";
import { moment, relative, span } from "../moments.ts";
import { type Cell, facts, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { count, duration, many } from "../values.ts";
import { takeWork, type WorkOptions, workOf } from "../work.ts";
import { forEachId, readList, takeListSize } from "./lists.ts";

interface TimingOptions {
  cron?: string;
  every?: ReturnType<typeof duration>;
  timezone?: string;
  runs?: number;
  stopAt?: string;
}

interface CreateOptions extends WorkOptions, TimingOptions {
  description?: string;
  skipOverlap?: boolean;
}

export function scheduleCommands(program: Command, bind: Bind): void {
  const schedules = program.command("schedules").description("recurring work");

  takeTiming(takeWork(schedules.command("create").description("create a schedule").argument("<name>")))
    .option("--description <text>")
    .option("--skip-overlap", "no new job while the last one has not ended")
    .action(bind(create));
  takeListSize(schedules.command("list").description("the newest schedules"))
    .option("--status <status>", "active, paused, completed, archived; may be repeated", many)
    .option("--handler <name>")
    .action(bind(list));
  schedules.command("get").description("one schedule").argument("<id>").action(bind(get));
  takeTiming(schedules.command("preview").description("the next times of a schedule, or of one that is not yet made"))
    .argument("[id]")
    .option("--count <n>", "how many", count, 10)
    .action(bind(preview));

  const change = (name: string, description: string) =>
    schedules.command(name).description(description).argument("<id...>");
  change("pause", "stop the ticks until resume").action(
    bind(forEachId(({ chronos }, id) => chronos.schedules.pause(id), said)),
  );
  change("resume", "let paused schedules tick again").action(
    bind(forEachId(({ chronos }, id) => chronos.schedules.resume(id), said)),
  );
  change("trigger", "make a job now, beside the ticks").action(
    bind(
      forEachId(
        ({ chronos }, id) => chronos.schedules.trigger(id),
        (job) => `${job.id}  ${job.status}`,
      ),
    ),
  );
  change("archive", "end schedules for good, and cancel their pending jobs").action(
    bind(forEachId(({ chronos }, id) => chronos.schedules.archive(id), said)),
  );
}

function takeTiming(command: Command): Command {
  return command
    .option("--cron <fields>", 'five fields, such as "0 9 * * MON"')
    .option("--every <span>", "an interval, such as 15m", duration)
    .option("--timezone <zone>", "of the cron fields, such as Europe/Berlin; default UTC")
    .option("--runs <n>", "end after so many jobs", count)
    .option("--stop-at <time>", "no tick from then on");
}

function timingOf({ cron, every, timezone, runs, stopAt }: TimingOptions): Recurrence & ScheduleBounds {
  const bounds = { timezone, runs, stopAt };
  if (cron !== undefined && every === undefined) return { cron, ...bounds };
  if (every !== undefined && cron === undefined) return { interval: every, ...bounds };
  throw usage("--cron or --every is needed, and not both");
}

async function create(context: Context, [name]: [string], options: CreateOptions): Promise<void> {
  const { chronos, terminal, now } = context;
  const input = {
    name,
    description: options.description,
    ...(options.skipOverlap && { overlap: "skip" }),
    ...(await workOf(terminal, options)),
    ...timingOf(options),
  };
  const schedule: Schedule = await chronos.schedules.create(input as NewSchedule);
  context.print(schedule, () => `${schedule.id}  next ${moment(schedule.nextRunAt, now)}`);
}

type ListOptions = { status?: ScheduleStatus[]; handler?: string; limit: number; all?: boolean };

async function list(context: Context, _: [], { status, handler, limit, all }: ListOptions): Promise<void> {
  const { chronos, terminal, now } = context;
  const schedules = await readList((size) => chronos.schedules.list({ status, handler, size }), limit, all);
  context.print(schedules, () => scheduleTable(terminal, schedules, now));
}

async function get({ chronos, terminal, now, print }: Context, [id]: [string]): Promise<void> {
  const schedule = await chronos.schedules.get(id);
  print(schedule, () => scheduleFacts(terminal, schedule, now));
}

async function preview(
  { chronos, print, now }: Context,
  [id]: [string?],
  options: TimingOptions & { count: number },
): Promise<void> {
  if (id !== undefined && (options.cron ?? options.every) !== undefined)
    throw usage("preview takes the id of a schedule, or --cron or --every");
  const times = await chronos.schedules.preview(id ?? timingOf(options), options.count);
  const named = times.map(({ at, local }) => ({ utc: at, local }));
  print(named, () => times.map(({ at, local }) => `${local}  ${relative(at, now)}`).join("\n") || "It never fires.");
}

const said = ({ id, status }: Schedule): string => `${id}  ${status}`;

const recurs = ({ cron, interval, timezone }: Schedule): string =>
  cron === null ? `every ${interval?.value} ${interval?.unit}` : `${cron} ${timezone}`;

function scheduleTable(terminal: Terminal, schedules: readonly Schedule[], now: number): string {
  if (schedules.length === 0) return "No schedules.";
  const rows = schedules.map((one): Cell[] => [
    one.id,
    one.status === "active" ? { text: one.status, style: "green" } : { text: one.status, style: "dim" },
    relative(one.nextRunAt, now),
    recurs(one),
    String(one.runCount),
    one.missedRuns + one.skippedRuns > 0 ? { text: `${one.missedRuns}/${one.skippedRuns}`, style: "yellow" } : "",
    one.name,
  ]);
  return table(terminal, ["ID", "STATUS", "NEXT", "RECURS", "JOBS", "MISSED/SKIPPED", "NAME"], rows);
}

function scheduleFacts(terminal: Terminal, one: Schedule, now: number): string {
  const { delivery } = one;
  return facts(terminal, [
    ["id", one.id],
    ["name", one.name],
    ["description", one.description ?? ""],
    ["status", one.status],
    ["recurs", recurs(one)],
    ["next", moment(one.nextRunAt, now)],
    ["last", moment(one.lastRunAt, now)],
    ["jobs", `${one.runCount}${one.runs === null ? "" : ` of ${one.runs}`}`],
    ["missed, skipped", `${one.missedRuns}, ${one.skippedRuns}`],
    ["ends", moment(one.stopAt, now)],
    ["handler", one.handler ?? ""],
    ["pushed to", delivery.type === "push" ? `${delivery.http.method} ${delivery.http.url}` : ""],
    ["retries", `at most ${one.maxRetries}`],
    ["timeout", span(one.timeout * 1_000)],
    ["payload", one.payloadText ?? ""],
    ["key", one.idempotencyKey ?? ""],
    ["tags", one.tags.join(", ")],
    ["created", moment(one.createdAt, now)],
  ]);
}
