// The last runs of a schedule as a row of marks: one for each job, which it leads to.

import { href } from "../../app/router.ts";
import { statusWord } from "../../ui/badge.tsx";
import { formatExact, formatLength } from "../../ui/time-format.ts";
import { zone } from "../../ui/zone.ts";
import { type RunMark, wordsOfMarks } from "./run-marks.ts";

export const Marks = ({ marks }: { marks: readonly RunMark[] }) => (
  <ol class="marks" aria-label={labelOf(marks)}>
    {marks.map((mark) => (
      <li key={mark.jobId}>
        <a
          class={`mark ${mark.status} ${mark.byHand ? "by-hand" : ""}`}
          href={href(`/jobs/${mark.jobId}`)}
          title={words(mark)}
        >
          <span class="visually-hidden">{words(mark)}</span>
        </a>
      </li>
    ))}
  </ol>
);

const labelOf = (marks: readonly RunMark[]): string =>
  marks.length === 1
    ? `The last run: ${wordsOfMarks(marks)}`
    : `The last ${marks.length} runs, oldest first: ${wordsOfMarks(marks)}`;

const words = ({ status, at, byHand, lengthMs, attempts }: RunMark): string =>
  [
    `${formatExact(at, zone.value)}: ${statusWord(status)}`,
    lengthMs !== null && `after ${formatLength(lengthMs)}`,
    attempts > 1 && `${attempts} attempts`,
    byHand && "triggered by hand",
  ]
    .filter(Boolean)
    .join(", ");
