// The charts of a window: attempts by how they ended, and how late they started.

import { useSignal } from "@preact/signals";
import { href } from "../../app/router.ts";
import { formatNumber } from "../../ui/number-format.ts";
import { Exact } from "../../ui/time.tsx";
import { formatClock, formatLength } from "../../ui/time-format.ts";
import { zone } from "../../ui/zone.ts";
import { type Bar, Bars } from "./bars.tsx";
import { jobsOfBucket } from "./jobs-of.ts";
import type { Bucket, Overview } from "./overview-answer.ts";
import { countScale, latenessScale, spanOf, timeTicks } from "./scale.ts";
import { totalsOf } from "./verdict.ts";

/** A bar that stands for anything is not lower than this. */
const LEAST = 0.02;

export function Charts({ overview }: { overview: Overview }) {
  const isTableShown = useSignal(false);
  const moments = timeTicks(
    overview.buckets.map(({ at }) => Date.parse(at)),
    overview.window,
    zone.value,
  );
  return (
    <section class="panel charts" aria-label="Activity">
      <div class="inside">
        <Ends overview={overview} moments={moments} />
        <Lateness overview={overview} moments={moments} />
      </div>
      <details open={isTableShown.value} onToggle={(event) => (isTableShown.value = event.currentTarget.open)}>
        <summary>As a table</summary>
        {isTableShown.value && <BucketTable overview={overview} />}
      </details>
    </section>
  );
}

interface ChartProps {
  readonly overview: Overview;
  readonly moments: readonly { readonly index: number; readonly label: string }[];
}

const ended = ({ completed, failed, retried }: Bucket): number => completed + failed + retried;

const isEmpty = (bucket: Bucket): boolean => ended(bucket) === 0 && bucket.started === 0;

const linkOf = (bucket: Bucket, { bucket_seconds }: Overview, status?: string): string =>
  href("/jobs", jobsOfBucket(bucket, bucket_seconds, status));

const spanWords = ({ at }: Bucket, { bucket_seconds }: Overview): string => {
  const from = Date.parse(at);
  const length = bucket_seconds * 1_000;
  return bucket_seconds < 3_600
    ? `${formatClock(from, zone.value)} to ${formatClock(from + length, zone.value)}`
    : spanOf(from, length, zone.value);
};

function Ends({ overview, moments }: ChartProps) {
  const { top, ticks } = countScale(Math.max(...overview.buckets.map((one) => Math.max(ended(one), one.started))));
  const totals = totalsOf(overview);
  return (
    <Bars
      name="Attempts"
      title={<h2>Attempts</h2>}
      bars={overview.buckets.map((bucket) => barOfEnds(bucket, overview, top))}
      lines={ticks.map(({ value, place }) => ({ place, label: formatNumber(value) }))}
      moments={moments}
      summary={
        <span class="row">
          <Key class="started" name="started" count={totals.started} />
          <Key class="completed" name="completed" count={totals.completed} />
          <Key class="retried" name="retried" count={totals.retried} />
          <Key class="failed" name="failed" count={totals.failed} />
        </span>
      }
    />
  );
}

const Key = ({ class: mark, name, count }: { class: string; name: string; count: number }) => (
  <span class={`key ${mark}`}>
    {formatNumber(count)} {name}
  </span>
);

function barOfEnds(bucket: Bucket, overview: Overview, top: number): Bar {
  const counts = [
    ["completed", bucket.completed],
    ["retried", bucket.retried],
    ["failed", bucket.failed],
  ] as const;
  let from = 0;
  const pieces = counts.flatMap(([name, count]) => {
    if (count === 0) return [];
    const piece = { class: name, from, to: Math.min(1, from + Math.max(LEAST, count / top)) };
    from = piece.to;
    return [piece];
  });
  // Attempts under way have started and not ended: the place of those is drawn as an outline.
  const running = bucket.started / top;
  const outline = running > from ? [{ class: "started", from, to: Math.min(1, running) }] : [];
  const words = [
    `${spanWords(bucket, overview)}: ${formatNumber(bucket.started)} started`,
    ...counts
      .filter(([name, count]) => count > 0 || name === "completed")
      .map(([name, count]) => `${formatNumber(count)} ${name}`),
  ].join(", ");
  return {
    key: bucket.at,
    pieces: [...pieces, ...outline],
    words,
    href: isEmpty(bucket) ? undefined : linkOf(bucket, overview),
  };
}

function Lateness({ overview, moments }: ChartProps) {
  const { buckets } = overview;
  const { ticks, placeOf } = latenessScale(Math.max(0, ...buckets.map(({ lateness_ms }) => lateness_ms.p95 ?? 0)));
  const latest = Math.max(...buckets.map(({ lateness_ms }) => lateness_ms.max ?? -1));
  return (
    <Bars
      name="Lateness"
      title={<h2>Lateness</h2>}
      bars={buckets.map((bucket) => {
        const { p50, p95, p99, max } = bucket.lateness_ms;
        if (p50 === null || p95 === null || p99 === null || max === null)
          return { key: bucket.at, pieces: [], words: `${spanWords(bucket, overview)}: nothing started` };
        const half = Math.max(LEAST, placeOf(p50));
        return {
          key: bucket.at,
          pieces: [
            { class: "half", from: 0, to: half },
            { class: "most", from: half, to: Math.max(half, placeOf(p95)) },
          ],
          words: `${spanWords(bucket, overview)}: half within ${formatLength(p50)}, 95% within ${formatLength(p95)}, 99% within ${formatLength(p99)}, all within ${formatLength(max)}`,
          href: linkOf(bucket, overview),
        };
      })}
      lines={ticks.filter(({ place }) => place > 0).map(({ value, place }) => ({ place, label: formatLength(value) }))}
      moments={moments}
      summary={
        <span class="row">
          <span class="key half">half of the starts</span>
          <span class="key most">95%</span>
          <span class="quiet">{latest < 0 ? "nothing started" : `the latest ${formatLength(latest)}`}</span>
        </span>
      }
    />
  );
}

function BucketTable({ overview }: { overview: Overview }) {
  const late = (ms: number | null) => (ms === null ? "–" : formatLength(ms));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class="table-scroll" tabIndex={0} aria-label="Activity as a table">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">From</th>
            {["Started", "Completed", "Retried", "Failed", "Late p50", "p95", "p99", "max"].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {overview.buckets.toReversed().map((bucket) => (
            <tr key={bucket.at}>
              <th scope="row">
                <Exact at={bucket.at} />
              </th>
              <td class="number">
                {isEmpty(bucket) ? "0" : <a href={linkOf(bucket, overview)}>{formatNumber(bucket.started)}</a>}
              </td>
              <td class="number">{formatNumber(bucket.completed)}</td>
              <td class="number">{formatNumber(bucket.retried)}</td>
              <td class="number">
                {bucket.failed === 0 ? (
                  "0"
                ) : (
                  <a href={linkOf(bucket, overview, "failed")}>{formatNumber(bucket.failed)}</a>
                )}
              </td>
              <td class="number">{late(bucket.lateness_ms.p50)}</td>
              <td class="number">{late(bucket.lateness_ms.p95)}</td>
              <td class="number">{late(bucket.lateness_ms.p99)}</td>
              <td class="number">{late(bucket.lateness_ms.max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
