// The example's consumer, to which every message comes twice at the same time: what a queue may do any day.

import consumer, { type Env } from "../../../examples/queue-consumer/index.ts";

export default {
  async queue(batch, env): Promise<void> {
    await Promise.all([consumer.queue(batch, env), consumer.queue(batch, env)]);
  },
} satisfies ExportedHandler<Env>;
