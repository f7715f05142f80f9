// What one operation's entry in the document is made of, beside the schemas its route checks.

import type { ErrorCode } from "../http/errors.ts";
import type { AnswerName } from "./answers.ts";

export const TAGS = {
  Jobs: "Create jobs, follow them, change your mind.",
  "Bulk actions": "Cancel, retry, run or delete many jobs with one request.",
  Schedules: "Recurring jobs, by cron expression or interval.",
  Flows: "So many at once, so many in a period, or none for now: limits that jobs of one name share.",
  Workers:
    "What a pull worker says: claim a job, keep its lease, report how it went. And which handlers have work, and workers.",
  Webhooks: "Be told of what happens: a job fails, a schedule misses a run.",
  Insight: "How the account's jobs are doing, for people and for Prometheus.",
  Account: "API keys and the signing secret of the account that calls.",
  Operator: "Accounts. Needs the operator's `ADMIN_TOKEN`; without that secret set, these paths answer 404.",
  Assistants: "The Model Context Protocol: the operations above as tools for an assistant.",
  Service: "About the service itself. Needs no key.",
} as const;

/** A request as an example: it can be sent as it is, but for the ids in it. */
export interface RequestExample {
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** An answer in the envelope. */
export interface EnvelopeAnswer {
  readonly status?: 201 | 202;
  /** The message of a 200, for what answers that when nothing new was made. */
  readonly otherwise?: string;
  /** What that has as `data`, if it is not the same. */
  readonly otherwiseData?: AnswerName;
  readonly data: AnswerName;
  /** A page of them; "all" is a list that has no pages; "claimed" is one or null, or a list where several were asked for. */
  readonly as?: "page" | "all" | "claimed";
  /** The answer's own `message`. */
  readonly message: string;
}

/** An answer that is no envelope: pages and files. */
export interface FileAnswer {
  readonly types: readonly string[];
  readonly message: string;
}

export interface Operation {
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  readonly answer: EnvelopeAnswer | FileAnswer;
  /** What it can refuse beside what every operation of its kind can. */
  readonly refuses?: readonly ErrorCode[];
  /** By name; none for an operation that takes nothing but its path. */
  readonly examples?: Readonly<Record<string, RequestExample>>;
}

/** By method and path, as the router has them. */
export type Operations = Readonly<Record<string, Operation>>;
