// One flow: whether it lets attempts start, its limits, what waits in it, and the actions for it.

import { useSignal } from "@preact/signals";
import { ApiError } from "../../api/api-error.ts";
import type { Flow as Shown } from "../../api/flow.ts";
import { changeFlow, deleteFlow, getFlow } from "../../api/flows.ts";
import { mayChange } from "../../api/session.ts";
import { href, navigate } from "../../app/router.ts";
import type { ScreenProps } from "../../app/screens.ts";
import { now } from "../../live/clock.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { ActionButton, Button } from "../../ui/button.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Exact } from "../../ui/time.tsx";
import { formatLength } from "../../ui/time-format.ts";
import { toast } from "../../ui/toast.tsx";
import css from "./flows.css?inline";
import { breakerWords, concurrencyWords, rateWords } from "./limits.ts";
import { LimitsForm } from "./limits-form.tsx";
import { type InLine, Line, readLine } from "./line.tsx";
import { State } from "./state.tsx";

adopt(css);

interface Known {
  /** null: nobody has defined it, so it has no limits. */
  readonly flow: Shown | null;
  readonly line: InLine;
}

async function read(key: string, signal: AbortSignal): Promise<Known> {
  const [flow, line] = await Promise.all([
    getFlow(key, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === "flow_not_found") return null;
      throw error;
    }),
    readLine(key, signal),
  ]);
  return { flow, line };
}

export function Flow({ params: { key = "" } }: ScreenProps) {
  const poll = usePoll<Known>(key, (signal) => read(key, signal), 5_000);
  const isChanging = useSignal(false);
  const known = poll.value.value;
  const problem = poll.problem.value;
  const put = (flow: Shown | null) => {
    if (known) poll.put({ ...known, flow });
    void poll.refresh();
  };
  return (
    <div class="flow stack">
      <header class="stack">
        <p class="quiet">
          <a href={href("/flows")}>Flows</a> /
        </p>
        <div class="row">
          <h1 class="rest">
            <bdi>{key}</bdi>
          </h1>
          {known && mayChange.value && (
            <Actions of={known.flow} onChange={() => (isChanging.value = true)} onDone={put} />
          )}
        </div>
        {known?.flow && (
          <p>
            <State flow={known.flow} />
          </p>
        )}
      </header>
      {known ? <Stale error={problem} /> : !problem && <Loading />}
      {!known && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {known && (
        <div class="halves">
          <Limits flow={known.flow} />
          <Line flow={key} line={known.line} />
        </div>
      )}
      {known && isChanging.value && (
        <LimitsForm
          of={known.flow ?? key}
          onClose={() => (isChanging.value = false)}
          onSaved={(flow) => {
            isChanging.value = false;
            toast("The limits hold for whatever has not started.", { tone: "good" });
            put(flow);
          }}
        />
      )}
    </div>
  );
}

const Limits = ({ flow }: { flow: Shown | null }) => (
  <section class="panel" aria-labelledby="limits">
    <header>
      <h2 id="limits">Limits</h2>
    </header>
    <div class="inside">
      {flow === null ? (
        <p class="quiet">Nobody has defined this flow: its jobs start without limits.</p>
      ) : (
        <dl class="facts">
          <dt>At once</dt>
          <dd>{concurrencyWords(flow)}</dd>
          <dt>Starts</dt>
          <dd>{rateWords(flow)}</dd>
          <dt>Breaker</dt>
          <dd>{breakerWords(flow)}</dd>
          <dt>Waiting</dt>
          <dd>
            {formatNumber(flow.waiting)}
            {flow.oldest_waiting_since !== null && (
              <span class="quiet">
                , the oldest for {formatLength(Math.max(0, now.value - Date.parse(flow.oldest_waiting_since)))}
              </span>
            )}
          </dd>
          <dt>Running</dt>
          <dd>{formatNumber(flow.running)}</dd>
          <dt>Changed</dt>
          <dd>
            <Exact at={flow.updated_at} />
          </dd>
        </dl>
      )}
    </div>
  </section>
);

interface ActionsProps {
  readonly of: Shown | null;
  readonly onChange: () => void;
  readonly onDone: (flow: Shown | null) => void;
}

function Actions({ of: flow, onChange, onDone }: ActionsProps) {
  if (flow === null)
    return (
      <Button look="primary" onClick={onChange}>
        Set limits
      </Button>
    );
  const { key, paused, paused_until } = flow;
  const change = (verb: "pause" | "resume", done: string) => async () => {
    const changed = await changeFlow(key, verb);
    toast(done, { tone: "good" });
    onDone(changed);
  };
  return (
    <div class="row">
      {(paused || paused_until !== null) && (
        <ActionButton look="primary" action={change("resume", "Resumed.")}>
          Resume
        </ActionButton>
      )}
      {!paused && (
        <ActionButton action={change("pause", "Paused. Nothing starts until it is resumed.")}>Pause</ActionButton>
      )}
      <Button onClick={onChange}>Change limits</Button>
      <Button
        look="danger"
        onClick={() =>
          confirm({
            title: `Delete the flow “${key}”?`,
            body: <p>Its limits are gone: what waits in it, and every job that names it, starts without limits.</p>,
            verb: "Delete flow",
            danger: true,
            action: async () => {
              await deleteFlow(key);
              toast("Deleted.", { tone: "good" });
              navigate(href("/flows"));
            },
          })
        }
      >
        Delete
      </Button>
    </div>
  );
}
