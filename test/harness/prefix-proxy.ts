// A proxy that serves a service under a path of its own, as many people run one behind a domain they have already.

import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";

const PREFIX = "/jobs/chronos";

/** @returns where the service is found, and how the proxy is closed */
export async function behindPrefix(serviceUrl: string): Promise<{ base: string; close(): void }> {
  const proxy = createServer((incoming, outgoing) => {
    const { url = "", method, headers } = incoming;
    if (!url.startsWith(`${PREFIX}/`)) return void outgoing.writeHead(404).end();
    const onward = forward(serviceUrl + url.slice(PREFIX.length), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward.on("error", () => outgoing.destroy()));
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const { port } = proxy.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}${PREFIX}`, close: () => void proxy.close() };
}
