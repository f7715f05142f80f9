// The envelope around every answer. Payloads, results and progress keep their text, because a number beyond 2^53 does not
// survive `JSON.parse`.

import { childrenOf } from "../../../sdk/src/json-scan.ts";
import { addTexts } from "../../../sdk/src/raw-json.ts";
import { ApiError, type FieldError } from "./api-error.ts";

export interface Paging {
  readonly page: number;
  readonly pages: number;
  readonly size: number;
  readonly total: number;
  readonly next_cursor?: string | null;
  readonly searched_to?: string;
}

export interface Answer<T> {
  readonly data: T;
  readonly message: string;
  /** Of lists. */
  readonly paging: Paging | undefined;
}

interface Envelope<T> {
  readonly success: boolean;
  readonly message: string;
  readonly data: T;
  readonly meta?: { readonly paging: Paging };
  readonly code?: string;
  readonly errors?: readonly FieldError[];
}

/** @throws ApiError unless it is a success */
export function read<T>(status: number, headers: Headers, text: string): Answer<T> {
  const envelope = parse<T>(text);
  if (envelope?.success === true)
    return { data: envelope.data, message: envelope.message, paging: envelope.meta?.paging };
  throw new ApiError({
    status,
    code: envelope?.code ?? "unreadable",
    message: envelope?.message ?? `Something between here and the service answered with ${status}.`,
    errors: envelope?.errors ?? [],
    data: envelope?.data ?? null,
    retryAfterMs: secondsOf(headers.get("Retry-After")),
  });
}

/** Null for what is no answer of ours, such as a proxy's page. */
function parse<T>(text: string): Envelope<T> | null {
  try {
    const envelope = JSON.parse(text);
    if (typeof envelope?.success !== "boolean") return null;
    const data = childrenOf(text).get("data");
    if (data) addTexts(envelope.data, text, data[0]);
    return envelope;
  } catch {
    return null;
  }
}

const secondsOf = (header: string | null): number | undefined => {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
};
