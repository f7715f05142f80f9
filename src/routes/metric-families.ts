// Which metrics a scrape shows, of one account or of several. Names and meaning are permanent: alerts and dashboards rest on them.

import type { HandlerView } from "../domain/handler.ts";
import { LATENESS_BOUNDS_MS } from "../domain/tally.ts";
import type { HeldFlow } from "../objects/flow/held-flows.ts";
import type { OverdueJobs } from "../store/due-jobs.ts";
import type { Counted } from "../store/overview-store.ts";
import type { Weight } from "../store/weigh.ts";
import type { Family, Labels, Sample } from "./exposition.ts";

/** An account as a scrape shows it. Its labels are none for the account that scrapes itself. */
export interface Scraped {
  readonly labels: Labels;
  readonly counted: Counted | undefined;
  readonly overdue: OverdueJobs | undefined;
  readonly pausedFlows: number;
  /** Those that hold jobs up; an operator's scrape asks for none. */
  readonly heldFlows: readonly HeldFlow[];
  /** undefined: not known. */
  readonly handlers: readonly HandlerView[] | undefined;
}

const NOTHING: Counted = { started: 0, completed: 0, failed: 0, retried: 0, lateSum: 0, lateMax: 0, late: [] };

export function familiesOf(all: readonly Scraped[], now: number): Family[] {
  const each = (valueIn: (one: Scraped) => number): Sample[] =>
    all.map((one) => ({ labels: one.labels, value: valueIn(one) }));
  const counted = (of: (counted: Counted) => number) => each((one) => of(one.counted ?? NOTHING));
  return [
    family(
      "attempts_started_total",
      "counter",
      "Attempts that started and are over.",
      counted(({ started }) => started),
    ),
    family(
      "jobs_completed_total",
      "counter",
      "Jobs that completed.",
      counted(({ completed }) => completed),
    ),
    family(
      "jobs_failed_total",
      "counter",
      "Jobs that failed, expired ones included.",
      counted(({ failed }) => failed),
    ),
    family(
      "attempts_retried_total",
      "counter",
      "Attempts that failed or were interrupted, and whose jobs were to be tried again.",
      counted(({ retried }) => retried),
    ),
    family(
      "lateness_seconds",
      "histogram",
      "How long after they were due attempts started.",
      all.flatMap((one) => histogramOf(one.counted ?? NOTHING, one.labels)),
    ),
    family(
      "jobs_overdue",
      "gauge",
      "Jobs that have been due for more than 10 s and have not started; counting stops at 1000.",
      each(({ overdue }) => overdue?.count ?? 0),
    ),
    family(
      "oldest_overdue_seconds",
      "gauge",
      "For how long the oldest overdue job has been due; 0 when none is overdue.",
      each(({ overdue }) => (overdue?.oldestRunAt == null ? 0 : Math.max(0, now - overdue.oldestRunAt) / 1_000)),
    ),
    family(
      "flows_paused",
      "gauge",
      "Flows that a person or their breaker has paused.",
      each(({ pausedFlows }) => pausedFlows),
    ),
    family("flow_waiting_jobs", "gauge", "Jobs in the line of a flow that holds jobs up.", flowSamples(all)),
    ...handlerFamilies(all),
  ];
}

/** Of an operator's scrape: what is left out of it. */
export const coverageOf = (accountsLeft: number, withoutHandlers: number, isComplete: boolean): Family[] => [
  family("accounts_left_out", "gauge", "Accounts that this scrape does not show.", [{ value: accountsLeft }]),
  family("accounts_without_handlers", "gauge", "Accounts that are shown without their handlers.", [
    { value: withoutHandlers },
  ]),
  family("overdue_complete", "gauge", "1 if all overdue jobs have been looked at, 0 if there may be more.", [
    { value: isComplete ? 1 : 0 },
  ]),
];

/** What the operator is told of a database. */
export interface ScrapedDatabase {
  readonly name: string;
  /** null: it has not answered. */
  readonly weight: Weight | null;
}

export function databaseFamilies(all: readonly ScrapedDatabase[]): Family[] {
  const each = (valueIn: (one: ScrapedDatabase) => number | null): Sample[] =>
    all.flatMap((one) => {
      const value = valueIn(one);
      return value === null ? [] : [{ labels: { database: one.name }, value }];
    });
  return [
    family(
      "database_up",
      "gauge",
      "1 if the database has answered, 0 if not.",
      each(({ weight }) => (weight ? 1 : 0)),
    ),
    family(
      "database_size_bytes",
      "gauge",
      "Size of the database. D1 takes 10 GB at most.",
      each(({ weight }) => weight?.bytes ?? null),
    ),
    family(
      "database_write_seconds",
      "gauge",
      "How long it took just now to write a row.",
      each(({ weight }) => (weight && weight.writeMs !== null ? weight.writeMs / 1_000 : null)),
    ),
  ];
}

const family = (name: string, type: Family["type"], help: string, samples: readonly Sample[]): Family => ({
  name: `chronos_${name}`,
  type,
  help,
  samples,
});

function histogramOf({ late, started, lateSum }: Counted, labels: Labels): Sample[] {
  let below = 0;
  const buckets = LATENESS_BOUNDS_MS.map((bound, i): Sample => {
    below += late[i] ?? 0;
    return { suffix: "_bucket", labels: { ...labels, le: String(bound / 1_000) }, value: below };
  });
  return [
    ...buckets,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: started },
    { suffix: "_sum", labels, value: lateSum / 1_000 },
    { suffix: "_count", labels, value: started },
  ];
}

/** A flow that did not answer has no sample. */
const flowSamples = (all: readonly Scraped[]): Sample[] =>
  all.flatMap(({ labels, heldFlows }) =>
    heldFlows.flatMap(({ key, view }) => (view ? [{ labels: { ...labels, flow: key }, value: view.waiting }] : [])),
  );

/** A time that there is none of is left out: a sample of 0 would be the year 1970. */
function handlerFamilies(all: readonly Scraped[]): Family[] {
  const each = (valueIn: (one: HandlerView) => number | null): Sample[] =>
    all.flatMap(({ labels, handlers = [] }) =>
      handlers.flatMap((one): Sample[] => {
        const value = valueIn(one);
        return value === null ? [] : [{ labels: { ...labels, handler: one.handler }, value }];
      }),
    );
  const seconds = (at: number | null) => (at === null ? null : at / 1_000);
  return [
    family(
      "handler_waiting_jobs",
      "gauge",
      "Jobs that wait for a worker.",
      each(({ waiting }) => waiting),
    ),
    family(
      "handler_oldest_due_timestamp_seconds",
      "gauge",
      "When the oldest job that waits for a worker became due; missing when none waits.",
      each(({ oldestDueAt }) => seconds(oldestDueAt)),
    ),
    family(
      "handler_last_poll_timestamp_seconds",
      "gauge",
      "When a worker last asked for jobs of this handler; missing when none has within a week.",
      each(({ lastPollAt }) => seconds(lastPollAt)),
    ),
    family(
      "handler_workers",
      "gauge",
      "Workers that named themselves and asked within five minutes.",
      each(({ workers }) => workers.length),
    ),
  ];
}
