// The limits of a flow, in words and as they are typed. Pure.

import type { Flow } from "../../api/flow.ts";
import { typedNumber } from "../../ui/typed-number.ts";

type Limits = Pick<Flow, "concurrency" | "rate" | "breaker">;
type Span = { readonly value: number; readonly unit: string };

/** `minute`, `10 minutes` */
export const spanWords = ({ value, unit }: Span): string => (value === 1 ? unit : `${value} ${unit}s`);

export const concurrencyWords = ({ concurrency }: Limits): string =>
  concurrency === null ? "any number" : `${concurrency} at once`;

export const rateWords = ({ rate }: Limits): string =>
  rate === null ? "any rate" : `${rate.limit} per ${spanWords(rate.period)}`;

/** On one line: `5 at once, 100 per minute, breaker`. */
export const limitsWords = (of: Limits): string =>
  [
    ...(of.concurrency === null ? [] : [concurrencyWords(of)]),
    ...(of.rate === null ? [] : [rateWords(of)]),
    ...(of.breaker === null ? [] : ["breaker"]),
  ].join(", ") || "none";

export const breakerWords = ({ breaker }: Limits): string =>
  breaker === null
    ? "none"
    : `after ${breaker.failures} ${breaker.failures === 1 ? "failure" : "failures in a row"}, for ${lengthWords(breaker.pause)}`;

/** `1 minute`, `10 minutes` */
const lengthWords = ({ value, unit }: Span): string => `${value} ${unit}${value === 1 ? "" : "s"}`;

/** The form's fields, as they are typed. */
export interface Draft {
  readonly key: string;
  readonly concurrency: string;
  readonly rateLimit: string;
  readonly ratePeriod: string;
  readonly rateUnit: string;
  readonly failures: string;
  readonly pause: string;
  readonly pauseUnit: string;
}

export const EMPTY: Draft = {
  ...{ key: "", concurrency: "", rateLimit: "", ratePeriod: "1", rateUnit: "minute" },
  ...{ failures: "", pause: "1", pauseUnit: "minute" },
};

export const draftOf = ({ key, concurrency, rate, breaker }: Limits & Pick<Flow, "key">): Draft => ({
  ...EMPTY,
  key,
  concurrency: concurrency === null ? "" : String(concurrency),
  ...(rate && { rateLimit: String(rate.limit), ratePeriod: String(rate.period.value), rateUnit: rate.period.unit }),
  ...(breaker && {
    failures: String(breaker.failures),
    pause: String(breaker.pause.value),
    pauseUnit: breaker.pause.unit,
  }),
});

/** What is sent: a limit whose number is empty is left out, and with it its period. */
export function limitsIn(draft: Draft): object {
  const [concurrency, limit, failures] = [draft.concurrency, draft.rateLimit, draft.failures].map(typedNumber);
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(limit !== undefined && { rate: { limit, period: spanIn(draft.ratePeriod, draft.rateUnit) } }),
    ...(failures !== undefined && { breaker: { failures, pause: spanIn(draft.pause, draft.pauseUnit) } }),
  };
}

const spanIn = (value: string, unit: string) => ({ value: typedNumber(value), unit });
