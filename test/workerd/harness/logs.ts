// What the service writes to its log, kept from the terminal and read by the tests.

import { vi } from "vitest";

class Logs {
  readonly lines: string[] = [];

  reset(): void {
    this.lines.length = 0;
    vi.spyOn(console, "log").mockImplementation((line) => void this.lines.push(String(line)));
  }

  /** The lines of one kind, read. */
  of(event: string): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
  }
}

export const logs = new Logs();
