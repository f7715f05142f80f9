// Short messages about what was just done, in a corner. Screen readers hear them; one about a failure stays until it is closed.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { adopt } from "./adopt.ts";
import css from "./toast.css?inline";

adopt(css);

const SHOWN_MS = 5_000;

type Tone = "plain" | "good" | "bad";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: Tone;
}

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Shows a message. */
export function toast(text: string, { tone = "plain" }: { tone?: Tone } = {}): void {
  lastId += 1;
  const id = lastId;
  // The same again is not a second message.
  const others = toasts.value.filter((one) => one.text !== text);
  toasts.value = [...others.slice(-3), { id, text, tone }];
  if (tone !== "bad") setTimeout(() => close(id), SHOWN_MS);
}

const close = (id: number): void => {
  toasts.value = toasts.value.filter((one) => one.id !== id);
};

/** Where they appear: once on the page, above open dialogs. */
export function Toasts() {
  const list = useRef<HTMLUListElement>(null);
  const shown = toasts.value;
  // A popover lies above dialogs. Shown again for each message, it lies above the one that opened last.
  useEffect(() => {
    list.current?.hidePopover();
    if (shown.length > 0) list.current?.showPopover();
  }, [shown]);
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {shown.at(-1)?.text}
      </div>
      <section aria-label="Messages">
        <ul class="toasts" popover="manual" ref={list}>
          {shown.map(({ id, text, tone }) => (
            <li key={id} class={tone}>
              <p>{text}</p>
              <button
                type="button"
                class="button plain small"
                aria-label="Close this message"
                onClick={() => close(id)}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
