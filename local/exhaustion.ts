// A workerd that has run out of file descriptors lives on, but not all of it: Miniflare's queues stand still for good once
// they could not report a fault. So when it has been calm for a while, it is time to start another.

const SIGNS = ["Too many open files", "SQLITE_CANTOPEN"];

/** Longer than objects hold their files after they were last used (10 s). */
export const CALM_MS = 15_000;

export interface ExhaustionWatch {
  /** A message of workerd's. */
  hear(message: string): void;
  stop(): void;
}

/** @param whenCalm called once the last sign of exhaustion is `CALM_MS` old */
export function watchExhaustion(whenCalm: () => void): ExhaustionWatch {
  let calm: NodeJS.Timeout | undefined;
  return {
    hear(message) {
      if (!SIGNS.some((sign) => message.includes(sign))) return;
      calm ??= setTimeout(() => {
        calm = undefined;
        whenCalm();
      }, CALM_MS);
      calm.refresh();
    },
    stop: () => clearTimeout(calm),
  };
}
