// A moment on the page: how far away it is, and exactly when on hover, or the other way round.

import { now } from "../live/clock.ts";
import { formatDistance, formatExact } from "./time-format.ts";
import { zone } from "./zone.ts";

/** `3 min ago`; the exact time on hover. */
export function Ago({ at }: { at: string }) {
  const moment = Date.parse(at);
  return (
    <time dateTime={at} title={formatExact(moment, zone.value, { milliseconds: true })}>
      {formatDistance(moment, now.value)}
    </time>
  );
}

/** `2026-11-27 06:15:03 UTC`; how far away on hover. */
export function Exact({ at, milliseconds = false }: { at: string; milliseconds?: boolean }) {
  const moment = Date.parse(at);
  return (
    <time dateTime={at} title={formatDistance(moment, now.value)}>
      {formatExact(moment, zone.value, { milliseconds })}
    </time>
  );
}
