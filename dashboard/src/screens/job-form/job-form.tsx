// The frame of the form: it sends, shows what the service refuses beside the field at fault, and gives the request as a command.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { ApiError } from "../../api/api-error.ts";
import { mayChange } from "../../api/session.ts";
import { adopt } from "../../ui/adopt.ts";
import { Button, classOfButton } from "../../ui/button.tsx";
import { Problem, ReadOnly } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import { type Body, bodyOf } from "./body.ts";
import type { Draft } from "./draft.ts";
import { Fields } from "./fields.tsx";
import css from "./job-form.css?inline";
import { MoreFields } from "./more-fields.tsx";

adopt(css);

interface JobFormProps {
  readonly title: string;
  readonly initial: Draft;
  readonly verb: string;
  readonly isEdit?: boolean;
  readonly isTimeFixed?: boolean;
  /** Where one goes without sending. */
  readonly back: string;
  readonly send: (body: Body, draft: Draft) => Promise<void>;
  /** More about a refusal. */
  readonly explain?: (error: ApiError) => ComponentChildren;
  /** More buttons. */
  readonly tools?: (body: () => Body) => ComponentChildren;
}

export function JobForm({ title, initial, verb, isEdit = false, isTimeFixed = false, back, ...rest }: JobFormProps) {
  const { send, explain, tools } = rest;
  const draft = useSignal(initial);
  const { isBusy, problem: error, submits } = useSending();
  const form = useRef<HTMLFormElement>(null);
  if (!mayChange.value) return <ReadOnly />;
  const change = (changes: Partial<Draft>) => {
    draft.value = { ...draft.value, ...changes };
  };
  const sendDraft = async () => {
    const { body, faults } = bodyOf(draft.value);
    try {
      if (faults.length > 0)
        throw new ApiError({
          ...{ status: 0, code: "validation_error", message: "Nothing was sent yet." },
          errors: faults,
        });
      await send(body, draft.value);
    } catch (thrown) {
      showFault();
      throw thrown;
    }
  };
  /** Once the faults are on the page, the first field that has one gets the focus. */
  const showFault = () =>
    requestAnimationFrame(() => {
      const more = form.current?.querySelector("details");
      const faulty = form.current?.querySelector("[aria-invalid=true]");
      if (more && faulty && more.contains(faulty)) more.open = true;
      if (faulty instanceof HTMLElement) faulty.focus();
    });
  const props = { draft: draft.value, error: error.value, onChange: change, isEdit, isTimeFixed };
  const isMoreSet = isEdit || Object.keys(bodyOf(initial).body).some((name) => !SHOWN_FIRST.includes(name));
  return (
    <form class="job-form stack" ref={form} noValidate onSubmit={submits(sendDraft)}>
      <h1>{title}</h1>
      <section class="panel">
        <div class="inside stack">
          <Fields {...props} />
        </div>
        <details open={isMoreSet}>
          <summary>Retries, tags, key, callbacks …</summary>
          <div class="inside">
            <MoreFields {...props} />
          </div>
        </details>
      </section>
      {error.value && <Problem error={error.value} />}
      {error.value && explain?.(error.value)}
      <footer class="row">
        <Button type="submit" look="primary" disabled={isBusy.value}>
          {verb}
        </Button>
        <a class={classOfButton(undefined)} href={back}>
          Back
        </a>
        <span class="rest" />
        {tools?.(() => bodyOf(draft.value).body)}
      </footer>
    </form>
  );
}

const SHOWN_FIRST = ["name", "handler", "delivery", "payload", "delay", "scheduled_for", "timezone"];
