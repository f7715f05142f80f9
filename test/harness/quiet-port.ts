// A port that stays free while its server is dead for a moment. Those that the system gives away by itself may be taken by
// any outgoing connection just then, even by one to this very port, which then talks to itself; the server could not come
// back for a minute.

import { createServer } from "node:net";

/** Below the range that systems give away (32768 on Linux). */
const RANGE = { from: 20_000, to: 32_000 } as const;

export async function quietPort(): Promise<number> {
  for (;;) {
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
