// Where the worker and the queue consumer tell what happens. Neither payloads, results nor keys are ever logged.

/**
 * A logger as the SDK calls it: the message first, facts second. `console` fits as it stands.
 *
 * @example
 * ```ts
 * import { Chronos, type ChronosLogger } from "@chronos-edge/sdk";
 *
 * const logger: ChronosLogger = {
 *   debug() {},
 *   info: (message, meta) => console.log(JSON.stringify({ level: "info", message, ...meta })),
 *   warn: (message, meta) => console.warn(JSON.stringify({ level: "warn", message, ...meta })),
 *   error: (message, meta) => console.error(JSON.stringify({ level: "error", message, ...meta })),
 * };
 * new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com", logger });
 * ```
 */
export interface ChronosLogger {
  debug(message: string, meta?: Record<string, unknown>): void;
  info(message: string, meta?: Record<string, unknown>): void;
  warn(message: string, meta?: Record<string, unknown>): void;
  error(message: string, meta?: Record<string, unknown>): void;
}

/** The default: the console, without the debug lines. */
export const consoleLogger: ChronosLogger = {
  debug() {},
  info: (message, meta) => console.info(`[chronos] ${message}`, meta ?? {}),
  warn: (message, meta) => console.warn(`[chronos] ${message}`, meta ?? {}),
  error: (message, meta) => console.error(`[chronos] ${message}`, meta ?? {}),
};

/** The same logger, except that its own failures end here: a broken logger must not cost a job. */
export function unfailing(logger: ChronosLogger): ChronosLogger {
  const guarded = (level: keyof ChronosLogger) => (message: string, meta?: Record<string, unknown>) => {
    try {
      logger[level](message, meta);
    } catch {
      // There is nowhere left to tell it.
    }
  };
  return { debug: guarded("debug"), info: guarded("info"), warn: guarded("warn"), error: guarded("error") };
}
