// The pages of a list that has few of them: one before, where we are, one behind.

import type { Paging } from "../api/call.ts";
import { adopt } from "./adopt.ts";
import { classOfButton } from "./button.tsx";
import { formatNumber } from "./number-format.ts";
import css from "./page-links.css?inline";

adopt(css);

interface PageLinksProps {
  readonly paging: Paging;
  /** The address of a page. */
  readonly hrefOf: (page: number) => string;
}

/** Nothing for a single page. */
export function PageLinks({ paging: { page, pages, total }, hrefOf }: PageLinksProps) {
  if (pages <= 1) return null;
  return (
    <nav class="page-links" aria-label="Pages">
      <span class="quiet">
        Page {page} of {pages}, {formatNumber(total)} in all
      </span>
      {page > 1 && (
        <a class={classOfButton(undefined, true)} href={hrefOf(page - 1)}>
          Previous
        </a>
      )}
      {page < pages && (
        <a class={classOfButton(undefined, true)} href={hrefOf(page + 1)}>
          Next
        </a>
      )}
    </nav>
  );
}
