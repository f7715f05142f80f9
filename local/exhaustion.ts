// A workerd that has run out of file descriptors lives on, but not all of it: Miniflare's queues stand still for good once
// they could not report a fault. So when it has been calm for a while, it is time to start another.

const SIGNS = ["Too many open files", "SQLITE_CANTOPEN"];

/** Longer than objects hold their files after they were last used (10 s). */
export const CALM_MS = 15_000;

export interface ExhaustionWatch {
  /** A line of the log. What the Worker itself says is JSON, and no sign: it quotes paths, and those come from anybody. */
  hear(line: string): void;
  /** Whatever was heard is over: another workerd serves, or none. */
  reset(): void;
}

/** @param whenCalm called once the last sign of exhaustion is `CALM_MS` old */
export function watchExhaustion(whenCalm: () => void): ExhaustionWatch {
  let calm: NodeJS.Timeout | undefined;
  return {
    hear(line) {
      if (line.startsWith("{") || !SIGNS.some((sign) => line.includes(sign))) return;
      calm ??= setTimeout(() => {
        calm = undefined;
        whenCalm();
      }, CALM_MS);
      calm.refresh();
    },
    reset() {
      clearTimeout(calm);
      calm = undefined;
    },
  };
}
