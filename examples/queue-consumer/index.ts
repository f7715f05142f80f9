// A Worker that consumes the queue `emails`: each message is started over the API, run, and reported.

import { Chronos, NonRetryableError, queueConsumer } from "@chronos-edge/sdk";

export interface Env {
  CHRONOS_API_KEY: string;
  CHRONOS: Fetcher;
}

interface Handlers {
  email: { payload: { to?: string } | null; result: { sent: string } };
}

export default {
  async queue(batch, env): Promise<void> {
    const chronos = new Chronos<Handlers>({
      apiKey: env.CHRONOS_API_KEY,
      baseUrl: "https://chronos.internal", // any name: the binding leads to the service
      fetch: (url, init) => env.CHRONOS.fetch(url, init),
    });
    const consume = queueConsumer({
      chronos,
      handlers: {
        async email({ payload }) {
          if (!payload?.to) throw new NonRetryableError("The payload has no recipient");
          // Here the mail would be sent.
          return { sent: payload.to };
        },
      },
    });
    await consume(batch);
  },
} satisfies ExportedHandler<Env>;
