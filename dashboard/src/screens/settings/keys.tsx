// API keys: which there are, what each may do, and until when. A key is shown once, when it is made.

import { useSignal } from "@preact/signals";
import { type ApiKey, KEY_SCOPES, type KeyScope } from "../../api/api-key.ts";
import { mayChange } from "../../api/session.ts";
import { createKey, deleteKey, listKeys } from "../../api/settings.ts";
import { now } from "../../live/clock.ts";
import { usePoll } from "../../live/poll.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { confirm, Dialog } from "../../ui/dialog.tsx";
import { faultOf, SelectField, TextField } from "../../ui/field.tsx";
import { Problem, Stale } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import { Ago, Exact } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";

const MAY: Readonly<Record<KeyScope, string>> = {
  full: "everything",
  read: "read, but not the signing secret",
  create: "create jobs",
  worker: "take and report jobs",
};

/** Keys change seldom. */
const EVERY_MS = 30_000;

export function Keys() {
  const poll = usePoll<readonly ApiKey[]>("keys", async (signal) => (await listKeys(signal)).data, EVERY_MS);
  const isMaking = useSignal(false);
  const keys = poll.value.value;
  const problem = poll.problem.value;
  return (
    <section class="panel" aria-labelledby="keys">
      <header>
        <h2 id="keys">API keys</h2>
        <span class="rest" />
        {mayChange.value && (
          <Button small onClick={() => (isMaking.value = true)}>
            New key
          </Button>
        )}
      </header>
      {keys && <Stale error={problem} />}
      {!keys && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {keys && (
        <ul class="setting-rows line-rows">
          {keys.map((key) => (
            <One key={key.id} apiKey={key} after={() => poll.refresh()} />
          ))}
        </ul>
      )}
      {isMaking.value && <NewKey onClose={() => (isMaking.value = false)} onMade={() => poll.refresh()} />}
    </section>
  );
}

function One({
  apiKey: { id, name, prefix, scope, expires_at, created_at },
  after,
}: {
  apiKey: ApiKey;
  after: () => Promise<void>;
}) {
  const hasExpired = expires_at !== null && Date.parse(expires_at) <= now.value;
  return (
    <li>
      <span class="what">
        <strong>{name}</strong>
        <code class="quiet">{prefix}…</code>
      </span>
      <span>
        <span class={`scope ${scope}`}>{scope}</span> <span class="quiet">{MAY[scope]}</span>
      </span>
      <span>
        {expires_at === null ? (
          <span class="quiet">does not expire</span>
        ) : hasExpired ? (
          <span class="warned">
            expired <Ago at={expires_at} />
          </span>
        ) : (
          <>
            expires <Ago at={expires_at} />
          </>
        )}
        <span class="quiet more">
          created <Ago at={created_at} />
        </span>
      </span>
      {mayChange.value && (
        <span class="row tools">
          <Button
            small
            look="danger plain"
            aria-label={`Delete the key ${name}`}
            onClick={() =>
              confirm({
                title: `Delete the key “${name}”?`,
                body: (
                  <p>
                    Whoever uses <code>{prefix}…</code> is refused from then on: within a minute everywhere. If you are
                    signed in with it, your session ends.
                  </p>
                ),
                verb: "Delete key",
                danger: true,
                action: async () => {
                  await deleteKey(id);
                  toast("The key is deleted.", { tone: "good" });
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

const DAY_MS = 86_400_000;
const LIVES = [
  { value: "", label: "never" },
  { value: "1", label: "in a day" },
  { value: "7", label: "in 7 days" },
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
];

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: () => Promise<void> }) {
  const name = useSignal("");
  const scope = useSignal<string>("full");
  const life = useSignal("");
  const made = useSignal<string | undefined>(undefined);
  const { isBusy, problem, submits } = useSending();
  const create = async () => {
    const expires_at = life.value === "" ? undefined : new Date(Date.now() + Number(life.value) * DAY_MS).toISOString();
    made.value = await createKey({ name: name.value, scope: scope.value, expires_at });
    void onMade();
  };
  if (made.value !== undefined)
    return (
      <Dialog title="Copy this key now" onClose={onClose}>
        <p>It is not shown again: the service keeps only a hash of it.</p>
        <Code text={made.value} name="The key" />
        <footer>
          <Button look="primary" onClick={onClose}>
            I have it
          </Button>
        </footer>
      </Dialog>
    );
  return (
    <Dialog title="New API key" onClose={onClose}>
      <form class="stack" onSubmit={submits(create)} noValidate>
        <TextField
          label="Name"
          value={name.value}
          onValue={(value) => (name.value = value)}
          fault={faultOf(problem.value, "name")}
          hint="Where it is used, so that you know it again."
          maxLength={255}
          autofocus
        />
        <SelectField
          label="It may"
          value={scope.value}
          onValue={(value) => (scope.value = value)}
          choices={KEY_SCOPES.map((value) => ({ value, label: `${value}: ${MAY[value]}` }))}
        />
        <SelectField
          label="It expires"
          value={life.value}
          onValue={(value) => (life.value = value)}
          choices={LIVES}
          fault={faultOf(problem.value, "expires_at")}
        />
        {life.value !== "" && (
          <p class="quiet">
            At <Exact at={new Date(now.value + Number(life.value) * DAY_MS).toISOString()} />.
          </p>
        )}
        {problem.value && <Problem error={problem.value} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={isBusy.value}>
            Create key
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
