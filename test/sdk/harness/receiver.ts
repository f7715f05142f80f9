// Where a test has its pushes sent: each is kept as it came, by its job's id, and answered 204.

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export async function receiver() {
  const received = new Map<string, Received>();
  const server = createServer(async (request, response) => {
    received.set(String(request.headers["webhook-id"]), { headers: request.headers, body: await text(request) });
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, received, close: () => void server.close() };
}
