// The list of flows: their limits, how many attempts wait and run, since when, and which of them are paused.

import { useSignal } from "@preact/signals";
import type { Paging } from "../../api/call.ts";
import type { Flow } from "../../api/flow.ts";
import { listFlows } from "../../api/flows.ts";
import { mayChange } from "../../api/session.ts";
import { href, navigate, place } from "../../app/router.ts";
import { now } from "../../live/clock.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { Button } from "../../ui/button.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { PageLinks } from "../../ui/page-links.tsx";
import { Empty, Loading, Problem, Stale } from "../../ui/problem.tsx";
import { formatLength } from "../../ui/time-format.ts";
import css from "./flows.css?inline";
import { limitsWords } from "./limits.ts";
import { LimitsForm } from "./limits-form.tsx";
import { State } from "./state.tsx";

adopt(css);

const SIZE = "50";

interface Page {
  readonly flows: readonly Flow[];
  readonly paging: Paging | undefined;
}

export const pathOf = (key: string): string => `/flows/${encodeURIComponent(key)}`;

export function Flows() {
  const page = place().query.get("page") ?? "1";
  const isNew = useSignal(false);
  const poll = usePoll<Page>(
    page,
    async (signal) => {
      const { data, paging } = await listFlows({ page, size: SIZE }, signal);
      return { flows: data, paging };
    },
    5_000,
  );
  const known = poll.value.value;
  const problem = poll.problem.value;
  const newFlow = mayChange.value && (
    <Button look="primary" onClick={() => (isNew.value = true)}>
      New flow
    </Button>
  );
  return (
    <div class="flows stack">
      <header class="row">
        <h1>Flows</h1>
        <span class="rest" />
        {newFlow}
      </header>
      {known ? <Stale error={problem} /> : !problem && <Loading />}
      {!known && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {known && known.flows.length === 0 && <NoFlows />}
      {known && known.flows.length > 0 && (
        <section class="panel" aria-label="All flows">
          <ul class="flow-rows line-rows">
            <li class="head" aria-hidden="true">
              <span>Flow</span>
              <span>Waiting</span>
              <span>Running</span>
              <span>Oldest</span>
              <span>Limits</span>
              <span>State</span>
            </li>
            {known.flows.map((flow) => (
              <Row key={flow.key} flow={flow} />
            ))}
          </ul>
          {known.paging && <PageLinks paging={known.paging} hrefOf={(n) => href("/flows", { page: String(n) })} />}
        </section>
      )}
      {isNew.value && (
        <LimitsForm
          of={undefined}
          onClose={() => (isNew.value = false)}
          onSaved={({ key }) => navigate(href(pathOf(key)))}
        />
      )}
    </div>
  );
}

const Row = ({ flow }: { flow: Flow }) => (
  <li class={(flow.paused || flow.paused_until !== null) && flow.waiting > 0 ? "held" : undefined}>
    <a data-walk class="name cut" href={href(pathOf(flow.key))} title={flow.key}>
      <bdi>{flow.key}</bdi>
    </a>
    <Figures flow={flow} />
    <span data-label="Limits">{limitsWords(flow)}</span>
    <span data-label="State">
      <State flow={flow} />
    </span>
  </li>
);

const Figures = ({ flow: { waiting, running, oldest_waiting_since } }: { flow: Flow }) => (
  <>
    <span data-label="Waiting" class={waiting > 0 ? undefined : "quiet"}>
      {formatNumber(waiting)}
    </span>
    <span data-label="Running" class={running > 0 ? undefined : "quiet"}>
      {formatNumber(running)}
    </span>
    <span data-label="Oldest">
      {oldest_waiting_since === null ? (
        <span class="quiet">
          <span aria-hidden="true">–</span>
          <span class="visually-hidden">none</span>
        </span>
      ) : (
        formatLength(Math.max(0, now.value - Date.parse(oldest_waiting_since)))
      )}
    </span>
  </>
);

const NoFlows = () => (
  <section class="panel">
    <Empty title="No flows yet">
      <p>
        A flow is a name under which jobs share limits: so many at once, so many in a period, or none for now. Define
        one here, and name it in the field <code>flow</code> of jobs and schedules.
      </p>
    </Empty>
  </section>
);
