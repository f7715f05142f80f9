// Buttons. One that does something in the service stays disabled until the answer is there, so that nothing is sent twice.

import { useSignal } from "@preact/signals";
import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { asApiError, wordsOf } from "../api/api-error.ts";
import { adopt } from "./adopt.ts";
import css from "./button.css?inline";
import { toast } from "./toast.tsx";

adopt(css);

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "class" | "onClick"> {
  /** `primary`: the one thing to do here; `plain`: without a frame; `danger` goes with either. */
  readonly look?: "primary" | "plain" | "danger" | "danger primary" | "danger plain" | undefined;
  readonly small?: boolean | undefined;
  readonly onClick?: ((event: MouseEvent) => void) | undefined;
  readonly children: ComponentChildren;
}

export const classOfButton = (look: ButtonProps["look"], small = false): string =>
  ["button", look, small && "small"].filter(Boolean).join(" ");

export const Button = ({ look, small, children, type = "button", ...rest }: ButtonProps) => (
  <button {...rest} type={type} class={classOfButton(look, small)}>
    {children}
  </button>
);

export interface ActionButtonProps extends Omit<ButtonProps, "onClick"> {
  /** What it does. A refusal is shown as a message. */
  readonly action: () => Promise<void>;
}

/** A button that waits for what it started. */
export function ActionButton({ action, disabled, children, ...rest }: ActionButtonProps) {
  const isBusy = useSignal(false);
  const run = async () => {
    isBusy.value = true;
    try {
      await action();
    } catch (thrown) {
      toast(wordsOf(asApiError(thrown)), { tone: "bad" });
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <Button {...rest} disabled={disabled || isBusy.value} aria-busy={isBusy.value} onClick={() => void run()}>
      {children}
    </Button>
  );
}
