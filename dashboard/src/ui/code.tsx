// Text as it is, in a frame, with a button that copies it.

import type { ComponentChildren } from "preact";
import { adopt } from "./adopt.ts";
import { Button } from "./button.tsx";
import css from "./code.css?inline";
import { toast } from "./toast.tsx";

adopt(css);

/** Copies a text and says so. */
export async function copy(text: string, name = "It"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${name} is copied.`);
  } catch {
    toast(`${name} could not be copied: the browser does not allow it here.`, { tone: "bad" });
  }
}

interface CodeProps {
  readonly text: string;
  /** What is shown in its place; what is copied is the text. */
  readonly shown?: string;
  /** What it is, for the message after copying and for screen readers. */
  readonly name: string;
  /** More buttons. */
  readonly tools?: ComponentChildren;
}

export const Code = ({ text, shown = text, name, tools }: CodeProps) => (
  <div class="code">
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
    <section aria-label={name} tabIndex={0}>
      <pre>{shown}</pre>
    </section>
    <div class="tools">
      {tools}
      <Button small aria-label={`Copy: ${name}`} onClick={() => void copy(text, name)}>
        Copy
      </Button>
    </div>
  </div>
);
