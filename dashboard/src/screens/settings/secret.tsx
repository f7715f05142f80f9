// The signing secret: hidden until somebody asks for it, and rotated with a time in which both are valid.

import { useSignal } from "@preact/signals";
import { getSecret, rotateSecret, type SigningSecret } from "../../api/settings.ts";
import { ActionButton, Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { faultOf, TextField } from "../../ui/field.tsx";
import { Problem } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import { Ago, Exact } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";
import { typedNumber } from "../../ui/typed-number.ts";

export function Secret() {
  const shown = useSignal<SigningSecret | undefined>(undefined);
  const isRotating = useSignal(false);
  const secret = shown.value;
  return (
    <section class="panel" aria-labelledby="secret">
      <header>
        <h2 id="secret">Signing secret</h2>
        <span class="rest" />
        {secret === undefined ? (
          <ActionButton
            small
            action={async () => {
              shown.value = await getSecret();
            }}
          >
            Reveal
          </ActionButton>
        ) : (
          <Button small onClick={() => (shown.value = undefined)}>
            Hide
          </Button>
        )}
        <Button small onClick={() => (isRotating.value = true)}>
          Rotate
        </Button>
      </header>
      <div class="inside stack">
        {secret === undefined ? (
          <p class="quiet">
            Every delivery is signed with it. Whoever has it can forge deliveries, so it is shown on request only.
          </p>
        ) : (
          <Code text={secret.signing_secret} name="The signing secret" />
        )}
        {secret?.previous_signing_secret && secret.previous_valid_until && (
          <>
            <p>
              The one before is valid until <Exact at={secret.previous_valid_until} /> (
              <Ago at={secret.previous_valid_until} />
              ):
            </p>
            <Code text={secret.previous_signing_secret} name="The secret before" />
          </>
        )}
      </div>
      {isRotating.value && (
        <Rotate
          onClose={() => (isRotating.value = false)}
          onRotated={(secret) => {
            shown.value = secret;
            isRotating.value = false;
          }}
        />
      )}
    </section>
  );
}

interface RotateProps {
  readonly onClose: () => void;
  readonly onRotated: (secret: SigningSecret) => void;
}

function Rotate({ onClose, onRotated }: RotateProps) {
  const hours = useSignal("24");
  const { isBusy, problem, submits } = useSending();
  const rotate = async () => {
    const secret = await rotateSecret(typedNumber(hours.value) ?? "");
    toast("The signing secret is rotated.", { tone: "good" });
    onRotated(secret);
  };
  return (
    <Dialog title="Rotate the signing secret?" onClose={onClose}>
      <form class="stack" onSubmit={submits(rotate)} noValidate>
        <p>
          A new secret is made. For the time of the overlap a delivery's <code>webhook-signature</code> has a signature
          by each of the two, and <code>X-Chronos-Signature</code> is still made with the old one: your receivers have
          that long to change.
        </p>
        <TextField
          label="Overlap in hours"
          value={hours.value}
          onValue={(value) => (hours.value = value)}
          fault={faultOf(problem.value, "overlap_hours")}
          inputMode="numeric"
          hint="1 to 168. A second rotation has to wait until it is over."
        />
        {problem.value && <Problem error={problem.value} />}
        <footer>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button type="submit" look="danger primary" disabled={isBusy.value}>
            Rotate
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
