// The options that jobs and schedules share: what is to be done, where, and how often it is tried.

import { type Command, Option } from "commander";
import type { Callbacks, HttpMethod, PullDelivery, PushDelivery } from "../sdk/src/index.ts";
import { usage } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { count, duration, each, headers, many, payload, seconds } from "./values.ts";

export interface WorkOptions {
  handler?: string;
  payload?: string;
  push?: string;
  method?: HttpMethod;
  header?: string[];
  queue?: string;
  timeout?: number;
  retries?: number;
  backoff?: string[];
  expiresAfter?: ReturnType<typeof duration>;
  tag?: string[];
  flow?: string;
  key?: string;
  onCompleted?: string;
  onFailed?: string;
}

const METHODS: HttpMethod[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export function takeWork(command: Command): Command {
  return command
    .option("--handler <name>", "the worker's function; needed unless it is pushed")
    .option("--payload <json>", "a JSON object, @file, or - for the standard input")
    .option("--push <url>", "call this URL")
    .addOption(new Option("--method <method>", "of the call").choices(METHODS).default("POST"))
    .option("--header <line>", '"Name: value" of the call; may be repeated', each)
    .option("--queue <name>", "give it to this Cloudflare Queue")
    .option("--timeout <span>", "of one attempt: seconds, or such as 5m", seconds)
    .option("--retries <n>", "after the first attempt", count)
    .option("--backoff <spans>", "pauses between attempts, such as 10s,1m,10m; the last one repeats", many)
    .option("--expires-after <span>", "no attempt starts later, such as 1h", duration)
    .option("--tag <tag>", "may be repeated", each)
    .option("--flow <name>", "the flow whose limits hold")
    .option("--key <key>", "idempotency key: creates it once, however often it is asked for")
    .option("--on-completed <url>", "is called when a job completes")
    .option("--on-failed <url>", "is called when a job fails");
}

/** As the SDK takes it. */
export async function workOf(terminal: Terminal, options: WorkOptions) {
  const { handler, push, queue, header } = options;
  if (push !== undefined && queue !== undefined) throw usage("--push and --queue exclude each other");
  if (push === undefined && header !== undefined) throw usage("--header needs --push");
  if (push === undefined && handler === undefined) throw usage("--handler or --push is needed: who is to do the work?");
  return {
    ...(handler !== undefined && { handler }),
    ...(options.payload !== undefined && { payload: await payload(terminal, options.payload) }),
    ...deliveryOf(options),
    timeout: options.timeout,
    maxRetries: options.retries,
    ...(options.backoff && { backoff: { type: "list" as const, delays: options.backoff.map(pause) } }),
    expiresAfter: options.expiresAfter,
    tags: options.tag,
    flow: options.flow,
    idempotencyKey: options.key,
    ...callbacksOf(options),
  };
}

function deliveryOf({ push, method = "POST", header = [], queue }: WorkOptions): {
  delivery?: PullDelivery | PushDelivery;
} {
  if (queue !== undefined) return { delivery: { type: "pull", queue } };
  if (push === undefined) return {};
  const http = { url: push, method, ...(header.length > 0 && { headers: headers(header) }) };
  return { delivery: { type: "push", http } };
}

function callbacksOf({ onCompleted, onFailed }: WorkOptions): { callbacks?: Callbacks } {
  if (onCompleted === undefined && onFailed === undefined) return {};
  const callbacks: Callbacks = {};
  if (onCompleted !== undefined) callbacks.completed = { url: onCompleted };
  if (onFailed !== undefined) callbacks.failed = { url: onFailed };
  return { callbacks };
}

function pause(text: string): number {
  try {
    return seconds(text);
  } catch {
    throw usage(`--backoff must be spans such as 10s,1m,10m, not "${text}"`);
  }
}
