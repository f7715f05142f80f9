// What can go wrong, as an exit code and one line.

import {
  ChronosApiError,
  ChronosConfigError,
  ChronosConnectionError,
  IdempotencyKeyConflictError,
  type Job,
  type Schedule,
  ScheduleKeyConflictError,
} from "../sdk/src/index.ts";
import { apiJsonLine } from "./api-json.ts";

/** The exit codes; docs/cli.md has the same table. */
export const EXIT = {
  ok: 0,
  /** It was done and did not go well: a job that failed, a doctor that found something, a fault of the service. */
  failed: 1,
  /** A wrong argument or value. */
  usage: 2,
  /** The service refused: an unknown key, no such job, a state that forbids it. */
  refused: 3,
  /** No answer, or none before a while: 429, 503. */
  unreachable: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the program with a line for the person who called it. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const usage = (message: string): Failure => new Failure(EXIT.usage, message);

/** An error as `--json` writes it. */
export interface Told {
  exitCode: ExitCode;
  code: string;
  message: string;
  errors: readonly { field: string; message: string }[];
  requestId: string | null;
  /** The job or schedule that holds the idempotency key. */
  data?: Job | Schedule;
}

export function tell(error: unknown): Told {
  const told = (exitCode: ExitCode, code: string, message: string): Told => {
    return { exitCode, code, message, errors: [], requestId: null };
  };
  if (error instanceof Failure) return told(error.exitCode, "cli", error.message);
  if (error instanceof ChronosConfigError) return told(EXIT.usage, "usage", error.message);
  if (error instanceof ChronosConnectionError) return told(EXIT.unreachable, "unreachable", error.message);
  if (error instanceof ChronosApiError) {
    const { code, message, errors, requestId } = error;
    const isConflict = error instanceof IdempotencyKeyConflictError || error instanceof ScheduleKeyConflictError;
    const holder = isConflict && error.data !== null ? { data: error.data } : {};
    return { exitCode: exitCodeOf(error), code, message, errors, requestId, ...holder };
  }
  return told(EXIT.failed, "internal", error instanceof Error ? error.message : String(error));
}

/** One line for programs. */
export function errorJson({ exitCode: _, ...error }: Told, more: object = {}): string {
  return apiJsonLine({ error: { ...more, ...error } });
}

/** `delivery.http.url: Must be https.` where a field is at fault, else the message with its code. */
export function lineOf({ code, message, errors, requestId, data }: Told): string {
  if (errors.length > 0) return errors.map((one) => `${one.field}: ${one.message}`).join(" ");
  if (data !== undefined) return `${message} It is ${data.id}. (${code})`;
  if (code === "internal_error" && requestId !== null) return `${message} (request ${requestId})`;
  return ["cli", "usage", "unreachable", "internal"].includes(code) ? message : `${message} (${code})`;
}

function exitCodeOf({ status, code }: ChronosApiError): ExitCode {
  if (code === "unexpected_response") return EXIT.unreachable;
  if (status === 400 || status === 413 || status === 422) return EXIT.usage;
  if (status === 429 || status === 503) return EXIT.unreachable;
  return status >= 500 ? EXIT.failed : EXIT.refused;
}
