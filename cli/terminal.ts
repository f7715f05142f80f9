// Where the program is run: its output, its input, its environment. Tests give it one of their own.

import { stripVTControlCharacters, styleText } from "node:util";

export interface Terminal {
  /** Prints lines to the standard output. */
  out(text: string): void;
  /** Prints lines to the standard error. */
  err(text: string): void;
  /** Everything that comes from the standard input. */
  input(): Promise<string>;
  /** Asks a person for something that is not to be seen. */
  ask(question: string): Promise<string>;
  env: Readonly<Record<string, string | undefined>>;
  /** The folder the program is run in. */
  cwd: string;
  home: string;
  /** A person sits at the input. */
  isInteractive: boolean;
  color: boolean;
  /** Columns; Infinity where lines are not cut. */
  width: number;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export function paint({ color }: Terminal, style: Style, text: string): string {
  return color ? styleText(style, text, { validateStream: false }) : text;
}

/** How many columns a text takes, colours left out. */
export const columnsOf = (text: string): number => [...stripVTControlCharacters(text)].length;
