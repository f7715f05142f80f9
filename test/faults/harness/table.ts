// The table at the end: one row for each fault, and what it cost.

export interface Row {
  readonly fault: string;
  readonly jobs: number;
  readonly delivered: number;
  readonly lost: number;
  /** Delivered more often than once: only where an attempt was in flight, and recorded as interrupted. */
  readonly duplicated: number;
  readonly early: number;
  readonly lateP99Ms: number | null;
}

const COLUMNS = ["fault", "jobs", "delivered", "lost", "duplicated", "early", "late p99"] as const;

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [row.fault, row.jobs, row.delivered, row.lost, row.duplicated, row.early, lateness(row.lateP99Ms)].map(String),
  );
  const all = [[...COLUMNS], ...lines];
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0)));
  const shown = all.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  return [shown[0], "-".repeat(shown[0]?.length ?? 0), ...shown.slice(1)].join("\n");
}

const lateness = (ms: number | null): string => (ms === null ? "–" : `${(ms / 1_000).toFixed(1)} s`);

/** The value that 99 of a hundred do not exceed; null of none. */
export function p99(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null;
}
