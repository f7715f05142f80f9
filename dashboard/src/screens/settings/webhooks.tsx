// Webhooks: their events, the state of their deliveries, and a test call.

import { useSignal } from "@preact/signals";
import { mayChange } from "../../api/session.ts";
import { changeWebhook, createWebhook, deleteWebhook, listWebhooks, testWebhook } from "../../api/settings.ts";
import { EVENT_TYPES, type Webhook } from "../../api/webhook.ts";
import { href } from "../../app/router.ts";
import { usePoll } from "../../live/poll.ts";
import { ActionButton, Button } from "../../ui/button.tsx";
import { Chip } from "../../ui/chip.tsx";
import { confirm, Dialog } from "../../ui/dialog.tsx";
import { Check, faultOf, TextField } from "../../ui/field.tsx";
import { Empty, Problem, Stale } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import { Ago } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";

const EVERY_MS = 15_000;

export function Webhooks() {
  const poll = usePoll<readonly Webhook[]>("webhooks", async (signal) => (await listWebhooks(signal)).data, EVERY_MS);
  const edited = useSignal<Webhook | "new" | undefined>(undefined);
  const webhooks = poll.value.value;
  const problem = poll.problem.value;
  const after = () => poll.refresh();
  return (
    <section class="panel" aria-labelledby="webhooks">
      <header>
        <h2 id="webhooks">Webhooks</h2>
        <span class="rest" />
        {mayChange.value && (
          <Button small onClick={() => (edited.value = "new")}>
            New webhook
          </Button>
        )}
      </header>
      {webhooks && <Stale error={problem} />}
      {!webhooks && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {webhooks?.length === 0 && (
        <Empty title="No webhooks yet">
          <p>A webhook is a URL that is called when a job fails, recovers or completes, or a schedule misses a run.</p>
        </Empty>
      )}
      {webhooks && webhooks.length > 0 && (
        <ul class="setting-rows line-rows">
          {webhooks.map((webhook) => (
            <One key={webhook.id} webhook={webhook} after={after} onEdit={() => (edited.value = webhook)} />
          ))}
        </ul>
      )}
      {edited.value !== undefined && (
        <EditWebhook
          webhook={edited.value === "new" ? undefined : edited.value}
          onClose={() => (edited.value = undefined)}
          after={after}
        />
      )}
    </section>
  );
}

interface OneProps {
  readonly webhook: Webhook;
  readonly after: () => Promise<void>;
  readonly onEdit: () => void;
}

function One({ webhook, after, onEdit }: OneProps) {
  const { id, url, events, description, enabled } = webhook;
  const tested = useSignal<string | undefined>(undefined);
  const setEnabled = (enabled: boolean) => async () => {
    await changeWebhook(id, { enabled });
    await after();
  };
  return (
    <li class={enabled ? undefined : "off"}>
      <span class="what">
        <strong class="cut" title={url}>
          {url}
        </strong>
        {description && <span class="quiet">{description}</span>}
      </span>
      <span class="row">
        {events.map((event) => (
          <Chip key={event}>{event}</Chip>
        ))}
      </span>
      <span>
        <Health webhook={webhook} />
        <span class="more">
          <a href={href("/jobs", { origin: "event", tag: `webhook:${id}` })}>Deliveries</a>
          {tested.value !== undefined && (
            <>
              {" · "}
              <a href={href(`/jobs/${tested.value}`)}>Test call</a>
            </>
          )}
        </span>
      </span>
      {mayChange.value && (
        <span class="row tools">
          <ActionButton
            small
            aria-label={`Test ${url}`}
            action={async () => {
              tested.value = (await testWebhook(id)).id;
              toast("A test event is on its way.", { tone: "good" });
            }}
          >
            Test
          </ActionButton>
          <Button small aria-label={`Edit ${url}`} onClick={onEdit}>
            Edit
          </Button>
          <ActionButton small aria-label={`${enabled ? "Disable" : "Enable"} ${url}`} action={setEnabled(!enabled)}>
            {enabled ? "Disable" : "Enable"}
          </ActionButton>
          <Button
            small
            look="danger plain"
            aria-label={`Delete ${url}`}
            onClick={() =>
              confirm({
                title: "Delete this webhook?",
                body: <p>{url} receives no more events. Deliveries that are under way go on.</p>,
                verb: "Delete webhook",
                danger: true,
                action: async () => {
                  await deleteWebhook(id);
                  await after();
                },
              })
            }
          >
            Delete
          </Button>
        </span>
      )}
    </li>
  );
}

function Health({ webhook: { enabled, disabled_reason, failing_since } }: { webhook: Webhook }) {
  if (!enabled) return <span class="warned">Disabled. {disabled_reason}</span>;
  if (failing_since !== null)
    return (
      <span class="failing">
        Failing since <Ago at={failing_since} />
      </span>
    );
  return <span class="quiet">No failures</span>;
}

interface EditWebhookProps {
  /** Left out: a new one. */
  readonly webhook: Webhook | undefined;
  readonly onClose: () => void;
  readonly after: () => Promise<void>;
}

/** The events that most people want. */
const USUAL = ["job.failed", "schedule.missed"];

function EditWebhook({ webhook, onClose, after }: EditWebhookProps) {
  const url = useSignal(webhook?.url ?? "");
  const description = useSignal(webhook?.description ?? "");
  const events = useSignal<readonly string[]>(webhook?.events ?? USUAL);
  const { isBusy, problem, submits } = useSending();
  const save = async () => {
    const body = { url: url.value.trim(), description: description.value, events: events.value };
    if (webhook) await changeWebhook(webhook.id, body);
    else await createWebhook(body);
    onClose();
    await after();
  };
  const toggle = (type: string) => (isOn: boolean) => {
    events.value = EVENT_TYPES.filter((one) => (one === type ? isOn : events.value.includes(one)));
  };
  return (
    <Dialog title={webhook ? "Change the webhook" : "New webhook"} onClose={onClose}>
      <form class="stack" onSubmit={submits(save)} noValidate>
        <TextField
          label="URL"
          value={url.value}
          onValue={(value) => (url.value = value)}
          fault={faultOf(problem.value, "url")}
          inputMode="url"
          placeholder="https://"
          autofocus
        />
        <TextField
          label="Description"
          value={description.value}
          onValue={(value) => (description.value = value)}
          fault={faultOf(problem.value, "description")}
          maxLength={1000}
        />
        <fieldset class="events">
          <legend>Events</legend>
          {EVENT_TYPES.map((type) => (
            <Check key={type} label={<code>{type}</code>} isOn={events.value.includes(type)} onToggle={toggle(type)} />
          ))}
          <span class="fault">{faultOf(problem.value, "events")}</span>
        </fieldset>
        {problem.value && <Problem error={problem.value} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={isBusy.value}>
            {webhook ? "Save" : "Create webhook"}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
