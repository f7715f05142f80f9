// Sentences in place of content: something failed, or there is nothing to show.

import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/api-error.ts";
import { adopt } from "./adopt.ts";
import { Button } from "./button.tsx";
import css from "./problem.css?inline";

adopt(css);

interface ProblemProps {
  readonly error: ApiError;
  readonly onRetry?: () => void;
  /** What happens next. */
  readonly note?: string;
}

/** What went wrong, with the fields that are at fault. */
export const Problem = ({ error, onRetry, note }: ProblemProps) => (
  <div class="problem" role="alert">
    <p>
      {error.message} {note}
    </p>
    {error.errors.length > 0 && (
      <ul>
        {error.errors.map(({ field, message }) => (
          <li key={field + message}>
            <code>{field}</code>: {message}
          </li>
        ))}
      </ul>
    )}
    {onRetry && (
      <Button small onClick={onRetry}>
        Try again
      </Button>
    )}
  </div>
);

/** In place of content that takes longer than a moment to read. */
export const Loading = () => (
  <p class="loading quiet" role="status">
    Reading …
  </p>
);

/** Above content that could not be brought up to date. */
export const Stale = ({ error }: { error: ApiError | undefined }) =>
  error && (
    <p class="notice warn" role="status">
      {error.message} This page shows the last answer and keeps asking.
    </p>
  );

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

export const Empty = ({ title, children }: EmptyProps) => (
  <div class="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** In place of a form, in a session that may change nothing. */
export const ReadOnly = () => (
  <Empty title="This session is read only">
    <p>To change something, sign in with a key of the scope “full”, and without “read only”.</p>
  </Empty>
);
