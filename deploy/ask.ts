// Questions at a terminal. Everywhere else nobody is asked.
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Stopped } from "./deploy-error.ts";

export type Ask = (question: string, fallback: string) => Promise<string>;

/** An empty answer takes the fallback. */
export const askAtTerminal: Ask = async (question, fallback) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const left = once(terminal, "close").then(() => Promise.reject(new Stopped("No answer."))); // Ctrl-C, Ctrl-D
  left.catch(() => {});
  try {
    return (await Promise.race([terminal.question(`${question} [${fallback}] `), left])).trim() || fallback;
  } finally {
    terminal.close();
  }
};

/** Asks until one of the choices is named. */
export async function choose<T extends string>(
  ask: Ask,
  question: string,
  choices: readonly T[],
  fallback: T,
): Promise<T> {
  for (;;) {
    const answer = await ask(question, fallback);
    const choice = choices.find((candidate) => candidate === answer.toLowerCase());
    if (choice !== undefined) return choice;
  }
}
