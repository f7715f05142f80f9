// The status of a job, an execution or a schedule: its word, and a mark whose shape differs as well as its colour.

import { adopt } from "./adopt.ts";
import css from "./badge.css?inline";

adopt(css);

/** The status as a person reads it: `timed_out` is "timed out". */
export const statusWord = (status: string): string => status.replaceAll("_", " ");

export const StatusBadge = ({ status }: { status: string }) => (
  <span class={`badge ${status}`}>{statusWord(status)}</span>
);
