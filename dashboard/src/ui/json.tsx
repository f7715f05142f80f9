// JSON of a user's own, byte for byte; indented when the person asks for it. Copying always gives what was sent.

import { signal } from "@preact/signals";
import { Button } from "./button.tsx";
import { Code } from "./code.tsx";
import { indented } from "./json-indent.ts";

const KEPT_AS = "chronos-indent";

const isIndented = signal(localStorage.getItem(KEPT_AS) === "yes");

function toggle(): void {
  isIndented.value = !isIndented.value;
  localStorage.setItem(KEPT_AS, isIndented.value ? "yes" : "no");
}

export const Json = ({ text, name }: { text: string; name: string }) => (
  <Code
    text={text}
    shown={isIndented.value ? indented(text) : text}
    name={name}
    tools={
      <Button small aria-pressed={isIndented.value} title="Add line breaks; nothing else changes" onClick={toggle}>
        Indent
      </Button>
    }
  />
);
