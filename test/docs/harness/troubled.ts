// A proxy in front of the service on a bad day: each kind of call goes wrong once, in a way of its own, and then well.

import { once } from "node:events";
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const UNAVAILABLE = '{"success":false,"message":"Not now.","code":"unavailable","errors":[]}';

type Trouble = (outgoing: ServerResponse, onward: () => void) => void;

/** By the end of the path. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  "/v1/jobs": (outgoing) =>
    outgoing.writeHead(503, { "Retry-After": "1", "Content-Type": "application/json" }).end(UNAVAILABLE),
  "/claim": (outgoing) => outgoing.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad Gateway</h1>"),
  // It is done, and its answer is lost.
  "/complete": (outgoing, onward) => {
    outgoing.end = () => outgoing.destroy();
    outgoing.write = () => true;
    outgoing.writeHead = () => outgoing;
    onward();
  },
  "/heartbeat": (outgoing) => outgoing.destroy(),
};

/** @returns where the service is found, what has gone wrong so far, and how the proxy is closed */
export async function onABadDay(serviceUrl: string) {
  const met: string[] = [];
  const proxy = createServer((incoming: IncomingMessage, outgoing) => {
    const onward = () => {
      const { url, method, headers } = incoming;
      const asked = forward(serviceUrl + url, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      outgoing.once("close", () => outgoing.writableFinished || asked.destroy());
      incoming.pipe(asked.on("error", () => outgoing.destroy()));
    };
    const kind = Object.keys(TROUBLES).find((end) => incoming.url?.endsWith(end) && !met.includes(end));
    if (kind === undefined) return onward();
    met.push(kind);
    TROUBLES[kind]?.(outgoing, onward);
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const { port } = proxy.address() as AddressInfo;
  const close = () => {
    proxy.closeAllConnections();
    proxy.close();
  };
  return { url: `http://127.0.0.1:${port}`, met, close };
}
