// Dialogs on the platform's own <dialog>: it keeps the focus inside, closes with Escape, and gives the focus back.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { adopt } from "./adopt.ts";
import { Button } from "./button.tsx";
import css from "./dialog.css?inline";
import { Problem } from "./problem.tsx";
import { useSending } from "./sending.ts";

adopt(css);

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** Open for as long as it is rendered. */
export function Dialog({ title, onClose, wide = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opened = dialog.current;
    const focused = document.activeElement;
    opened?.showModal();
    return () => {
      opened?.close();
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
    };
  }, []);
  return (
    <dialog
      class={wide ? "dialog wide" : "dialog"}
      ref={dialog}
      aria-labelledby={titleId}
      onClose={(event) => {
        // Of a dialog that is gone already the browser says so afterwards.
        if (event.currentTarget.isConnected) onClose();
      }}
    >
      <div>
        <header>
          <h2 id={titleId}>{title}</h2>
          <Button look="plain" small aria-label="Close" onClick={onClose}>
            ✕
          </Button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  readonly title: string;
  readonly body?: ComponentChildren;
  /** What the button says: the verb, not "OK". */
  readonly verb: string;
  readonly danger?: boolean;
  /** What it does. A refusal is shown in the dialog, which then stays open. */
  readonly action: () => Promise<void>;
}

const asked = signal<Question | null>(null);

/** Asks before something is done that cannot be undone. */
export function confirm(question: Question): void {
  asked.value = question;
}

/** Where `confirm()` asks: once on the page. */
export function Confirm() {
  const question = asked.value;
  return question && <OneQuestion key={question.title} {...question} />;
}

function OneQuestion({ title, body, verb, danger = false, action }: Question) {
  const { isBusy, problem, send } = useSending();
  const close = () => {
    asked.value = null;
  };
  const run = () =>
    send(async () => {
      await action();
      close();
    });
  return (
    <Dialog title={title} onClose={close}>
      {body}
      {problem.value && <Problem error={problem.value} />}
      <footer>
        <Button onClick={close}>Keep as it is</Button>
        <Button look={danger ? "danger primary" : "primary"} disabled={isBusy.value} onClick={() => void run()}>
          {verb}
        </Button>
      </footer>
    </Dialog>
  );
}
