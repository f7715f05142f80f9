// The bulk actions that were started here, and how far they are. They outlive the screen that started them.

import { signal } from "@preact/signals";
import type { BulkAction, Selection } from "../api/bulk-action.ts";
import { getBulkAction, startBulkAction } from "../api/bulk-actions.ts";
import type { Verb } from "../api/job.ts";
import { Poll } from "../live/poll.ts";

const ASK_EVERY_MS = 500;
const SHOWN_MS = 10_000;

export interface Running {
  readonly action: BulkAction;
  /** What it was when it started: jobs it is known to have. */
  readonly expected: number;
}

export const running = signal<readonly Running[]>([]);

/** Grows with each bulk action that has ended: lists then read again. */
export const ended = signal(0);

export async function start(verb: Verb, selection: Selection, expected: number): Promise<void> {
  const action = await startBulkAction(verb, selection);
  running.value = [...running.value, { action, expected }];
  if (action.status === "running") follow(action.id);
  else finish(action);
}

/** One that did all it was asked for is no news for long. */
function finish({ id, skipped, failed }: BulkAction): void {
  ended.value += 1;
  if (skipped + failed === 0) setTimeout(() => dismiss(id), SHOWN_MS);
}

const polls = new Set<Poll<void>>();

function follow(id: string): void {
  const poll: Poll<void> = new Poll(async (signal) => {
    const action = await getBulkAction(id, signal);
    update(action);
    if (action.status !== "running") {
      poll.stop();
      polls.delete(poll);
      finish(action);
    }
  }, ASK_EVERY_MS);
  polls.add(poll);
  poll.start();
}

/** The service goes on with them; here nobody follows them any more. */
export function forgetRunning(): void {
  for (const poll of polls) poll.stop();
  polls.clear();
  running.value = [];
}

export function update(action: BulkAction): void {
  running.value = running.value.map((one) => (one.action.id === action.id ? { ...one, action } : one));
}

export function dismiss(id: string): void {
  running.value = running.value.filter(({ action }) => action.id !== id);
}
