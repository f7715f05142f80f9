// The steps of a deployment as they are shown, and how one that failed is told: which, why, what is done, and what to do.
import { styleText } from "node:util";
import { Stopped } from "./deploy-error.ts";

export interface Output {
  write(text: string): void;
  /** Lines may be overwritten and coloured. */
  isTerminal: boolean;
}

/** In the order of the first run. */
export const STEPS = [
  "sign-in",
  "look",
  "secrets",
  "database",
  "queues",
  "migrations",
  "deploy",
  "address",
  "health",
  "account",
] as const;
export type Step = (typeof STEPS)[number];

const WIDTH = 12;
const SLOW_MS = 1_500;

export class Progress {
  private readonly output: Output;
  private readonly done: Step[] = [];
  private current: Step | null = null;

  constructor(output: Output) {
    this.output = output;
  }

  get hasBegun(): boolean {
    return this.current !== null;
  }

  /** @param doing shown while it takes its time. @param said shown when it is done; null shows nothing */
  async step<T>(name: Step, doing: string, work: () => Promise<T>, said: (result: T) => string | null): Promise<T> {
    this.current = name;
    const begin = () => this.begin(name, doing);
    // In a log only what takes a while is worth a line of its own.
    const slow = setTimeout(begin, this.output.isTerminal ? 0 : SLOW_MS);
    const result = await work().finally(() => clearTimeout(slow));
    this.done.push(name);
    const text = said(result);
    if (text !== null) this.line("✓", name, text, "green");
    return result;
  }

  /** Something to know that stops nothing. */
  note(text: string): void {
    this.clear();
    this.output.write(`${" ".repeat(WIDTH + 4)}${text}\n`);
  }

  /** Text of its own after the steps. */
  print(text: string): void {
    this.clear();
    this.output.write(`${text}\n`);
  }

  /** How the step that is under way has failed. */
  failed(error: Error): void {
    const current = this.current ?? STEPS[0];
    const left = STEPS.slice(STEPS.indexOf(current) + 1);
    const why = error instanceof Stopped ? "stopped" : "failed";
    this.line("✗", current, why, "red");
    if (!(error instanceof Stopped)) this.output.write(`\n${error.message.replace(/^/gm, "  ")}\n`);
    const rest = [
      `Done already: ${this.done.join(", ") || "nothing"}.`,
      `Not done yet: ${[current, ...left].join(", ")}.`,
      "Run the command again to go on: what is done is found and kept, nothing is made twice.",
    ];
    this.output.write(`\n${rest.join("\n")}\n`);
  }

  private begin(name: Step, doing: string): void {
    if (this.output.isTerminal) this.output.write(`\r\x1b[K… ${name.padEnd(WIDTH)}  ${doing}`);
    else this.output.write(`  ${name.padEnd(WIDTH)}  ${doing} …\n`);
  }

  private line(mark: string, name: Step, text: string, color: "green" | "red"): void {
    this.clear();
    const shown = this.output.isTerminal ? styleText(color, mark, { validateStream: false }) : mark;
    this.output.write(`${shown} ${name.padEnd(WIDTH)}  ${text}\n`);
  }

  private clear(): void {
    if (this.output.isTerminal) this.output.write("\r\x1b[K");
  }
}
