// `chronos-edge jobs …`

import type { Command } from "commander";
import type { Job, JobFilters, JobOrigin, JobStatus, NewJob, When } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { EXIT, usage } from "../failure.ts";
import { moment } from "../moments.ts";
import { executionTable, jobFacts, jobTable } from "../show-job.ts";
import { tail } from "../tail.ts";
import { duration, each, many } from "../values.ts";
import { takeWork, type WorkOptions, workOf } from "../work.ts";
import { forEachId, readAll, readList, takeListSize } from "./lists.ts";

interface CreateOptions extends WorkOptions {
  in?: ReturnType<typeof duration>;
  at?: string;
  timezone?: string;
  replace?: boolean;
  tail?: boolean;
}

interface ListOptions {
  status?: JobStatus[];
  handler?: string;
  tag?: string[];
  flow?: string;
  name?: string;
  schedule?: string;
  key?: string;
  origin?: JobOrigin[];
  createdAfter?: string;
  createdBefore?: string;
  scheduledAfter?: string;
  scheduledBefore?: string;
  limit: number;
  all?: boolean;
}

export function jobCommands(program: Command, bind: Bind): void {
  const jobs = program.command("jobs").description("create, find, follow and change jobs");

  takeWork(jobs.command("create").description("create a job, due now unless a time is given").argument("<name>"))
    .option("--in <span>", "due after this, such as 90s, 2h or 1d", duration)
    .option("--at <time>", "due then: 2027-01-15T09:00:00+01:00")
    .option("--timezone <zone>", "of an --at without an offset, such as Europe/Berlin")
    .option("--replace", "overwrite the pending job that holds the --key")
    .option("--tail", "follow it until it has ended")
    .action(bind(create));

  takeListSize(jobs.command("list").description("the newest jobs"))
    .option(
      "--status <status>",
      "pending, queued, running, retrying, completed, failed, cancelled; may be repeated",
      many,
    )
    .option("--handler <name>")
    .option("--tag <tag>", "may be repeated: jobs that have all of them", each)
    .option("--flow <name>")
    .option("--name <name>", "the whole name")
    .option("--schedule <id>", "the jobs of a schedule; null for one-off jobs only")
    .option("--key <key>", "the job that holds this idempotency key")
    .option("--origin <origin>", "api, schedule, event; may be repeated", many)
    .option("--created-after <time>")
    .option("--created-before <time>")
    .option("--scheduled-after <time>")
    .option("--scheduled-before <time>")
    .action(bind(list));

  jobs.command("get").description("one job, and what it waits for").argument("<id>").action(bind(get));
  jobs.command("executions").description("every attempt of a job").argument("<id>").action(bind(executions));
  jobs
    .command("tail")
    .description("follow a job until it has ended; exit code 1 unless it completes")
    .argument("<id>")
    .action(bind((context, [id]: [string]) => tail(context, id)));

  jobs
    .command("run")
    .description("run pending or retrying jobs now")
    .argument("<id...>")
    .action(bind(forEachId((context, id) => context.chronos.jobs.run(id), jobLine)));
  jobs
    .command("retry")
    .description("run failed or cancelled jobs again")
    .argument("<id...>")
    .action(bind(forEachId((context, id) => context.chronos.jobs.retry(id), jobLine)));
  jobs
    .command("cancel")
    .description("cancel jobs that have not ended")
    .argument("<id...>")
    .action(bind(forEachId((context, id) => context.chronos.jobs.cancel(id), jobLine)));
  jobs
    .command("delete")
    .description("delete jobs that have ended, with their history")
    .argument("<id...>")
    .action(bind(forEachId(deleted, ({ id }) => `${id}  deleted`)));
}

async function create(context: Context, [name]: [string], options: CreateOptions): Promise<number> {
  const { chronos, terminal, now } = context;
  const { replace, key } = options;
  if (replace && key === undefined) throw usage("--replace needs --key");
  const input = {
    name,
    ...(await workOf(terminal, options)),
    ...whenOf(options),
    ...(replace && { onConflict: "replace" }),
  };
  const job: Job = await chronos.jobs.create(input as NewJob);
  if (options.tail) return tail(context, job.id);
  context.print(job, () => `${job.id}  due ${moment(job.scheduledFor, now)}`);
  return EXIT.ok;
}

function whenOf({ in: delay, at, timezone }: CreateOptions): When {
  if (delay !== undefined && at !== undefined) throw usage("--in and --at exclude each other");
  if (timezone !== undefined && at === undefined) throw usage("--timezone needs --at");
  if (delay !== undefined) return { delay };
  if (at === undefined) return {};
  return timezone === undefined ? { scheduledFor: at } : { scheduledFor: at, timezone };
}

async function list(context: Context, _: [], { schedule, key, limit, all, ...filters }: ListOptions): Promise<void> {
  const { chronos, terminal, now } = context;
  const { status, handler, tag, flow, name, origin, createdAfter, createdBefore, scheduledAfter, scheduledBefore } =
    filters;
  const scheduleId = schedule === "null" ? null : schedule;
  const asked: JobFilters = { status, handler, tag, flow, name, scheduleId, idempotencyKey: key, origin };
  const times = { createdAfter, createdBefore, scheduledAfter, scheduledBefore };
  const jobs = await readList((size) => chronos.jobs.list({ ...asked, ...times, size }), limit, all);
  context.print(jobs, () => jobTable(terminal, jobs, now));
}

async function get({ chronos, terminal, now, print }: Context, [id]: [string]): Promise<void> {
  const job = await chronos.jobs.get(id);
  print(job, () => jobFacts(terminal, job, now));
}

async function executions({ chronos, terminal, now, print }: Context, [id]: [string]): Promise<void> {
  const found = await readAll(chronos.jobs.executions(id));
  print(found, () => (found.length === 0 ? "It has not run yet." : executionTable(terminal, found, now)));
}

const jobLine = ({ id, status }: Job): string => `${id}  ${status}`;

async function deleted({ chronos }: Context, id: string): Promise<{ id: string }> {
  await chronos.jobs.delete(id);
  return { id };
}
