// For each handler: how many jobs wait, since when, and which workers have asked lately.

import { get, type Paging } from "../../api/call.ts";
import { href, place } from "../../app/router.ts";
import { now } from "../../live/clock.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { Chip } from "../../ui/chip.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { PageLinks } from "../../ui/page-links.tsx";
import { Empty, Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Ago } from "../../ui/time.tsx";
import { formatLength } from "../../ui/time-format.ts";
import type { Handler } from "../overview/overview-answer.ts";
import { hasNoWorker } from "../overview/workers-asking.ts";
import css from "./workers.css?inline";

adopt(css);

const SIZE = "50";

interface Page {
  readonly handlers: readonly Handler[];
  readonly paging: Paging | undefined;
}

export function Workers() {
  const page = place().query.get("page") ?? "1";
  const poll = usePoll<Page>(
    page,
    async (signal) => {
      const { data, paging } = await get<Handler[]>("/v1/handlers", { page, size: SIZE }, signal);
      return { handlers: data, paging };
    },
    3_000,
  );
  const known = poll.value.value;
  const problem = poll.problem.value;
  return (
    <div class="workers stack">
      <h1>Workers</h1>
      {known ? <Stale error={problem} /> : !problem && <Loading />}
      {!known && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {known && known.handlers.length === 0 && <NoHandlers />}
      {known && known.handlers.length > 0 && (
        <section class="panel" aria-label="Handlers">
          <ul class="handlers line-rows">
            <li class="head" aria-hidden="true">
              <span>Handler</span>
              <span>Waiting</span>
              <span>Oldest</span>
              <span>Last poll</span>
              <span>Workers of the last 5 min</span>
            </li>
            {known.handlers.map((handler) => (
              <One key={handler.handler} handler={handler} />
            ))}
          </ul>
          {known.paging && <PageLinks paging={known.paging} hrefOf={(n) => href("/workers", { page: String(n) })} />}
        </section>
      )}
    </div>
  );
}

function One({ handler: one }: { handler: Handler }) {
  const { handler, unavailable, waiting, oldest_due_at, last_poll_at, workers } = one;
  const isAbandoned = hasNoWorker(one, now.value) && (waiting ?? 0) > 0;
  return (
    <li class={isAbandoned ? "abandoned" : undefined}>
      <a data-walk class="name" href={href("/jobs", { handler })} title={`Jobs of ${handler}`}>
        {handler}
      </a>
      {unavailable ? (
        <span class="unknown">Its queue does not answer: what waits there is not known.</span>
      ) : (
        <>
          <span data-label="Waiting">
            {waiting === null || waiting === 0 ? (
              <span class="quiet">0</span>
            ) : (
              <a href={href("/jobs", { status: "queued", handler })}>{formatNumber(waiting)}</a>
            )}
          </span>
          <span data-label="Oldest">{oldest_due_at === null ? <Nothing /> : <Age at={oldest_due_at} />}</span>
          <span data-label="Last poll">
            {last_poll_at === null ? <Never isBad={isAbandoned} /> : <Ago at={last_poll_at} />}
          </span>
          <span data-label="Workers" class="row">
            {isAbandoned && <strong class="nobody">No worker asks for it.</strong>}
            {workers?.map(({ worker_id, last_poll_at }) => (
              <Chip
                key={worker_id}
                title={`${worker_id}, asked ${formatLength(Math.max(0, now.value - Date.parse(last_poll_at)))} ago`}
              >
                {worker_id}
              </Chip>
            ))}
            {!isAbandoned && workers?.length === 0 && <Unnamed handler={one} />}
          </span>
        </>
      )}
    </li>
  );
}

const Nothing = () => (
  <span class="quiet">
    <span aria-hidden="true">–</span>
    <span class="visually-hidden">none</span>
  </span>
);

const Age = ({ at }: { at: string }) => <span>{formatLength(Math.max(0, now.value - Date.parse(at)))}</span>;

const Never = ({ isBad }: { isBad: boolean }) => (
  <span class={isBad ? "nobody" : "quiet"} title="Not within a week">
    never
  </span>
);

/** A worker that gives no name is only known by its polls. */
const Unnamed = ({ handler }: { handler: Handler }) => (
  <span class="quiet">{hasNoWorker(handler, now.value) ? "none" : "polled without a worker_id"}</span>
);

const NoHandlers = () => (
  <section class="panel">
    <Empty title="No handler is known yet">
      <p>
        A job whose delivery is <code>pull</code> waits here for a worker that asks for its handler. As soon as there is
        such a job, or a worker asks, its handler is listed. Jobs that are pushed to a URL need no worker.
      </p>
    </Empty>
  </section>
);
