// The other end of the pushes: counts what arrives on each path, checks every signature, and refuses as often as told.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { LOOPBACK } from "../addresses.ts";
import { isSigned } from "../signature.ts";

export type Receiver = Awaited<ReturnType<typeof openReceiver>>;

export async function openReceiver(signingSecret: string) {
  const failures = new Map<string, number>();
  const arrived: { path: string | undefined; isSigned: boolean }[] = [];
  const deliveriesAt = (path: string) => arrived.filter((one) => one.path === path).length;
  const server = createServer(async (request, response) => {
    const { url: path = "", headers } = request;
    arrived.push({ path, isSigned: isSigned({ headers, body: await text(request) }, signingSecret) });
    response.writeHead(deliveriesAt(path) <= (failures.get(path) ?? 0) ? 500 : 200).end();
  });
  await once(server.listen(0, LOOPBACK), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    /** The `delivery` of a job that is pushed here; the first ones on this path are answered with 500. */
    push(path: string, failing = 0) {
      failures.set(path, failing);
      return { type: "push", http: { url: `http://${LOOPBACK}:${port}${path}`, method: "POST" } };
    },
    deliveriesAt,
    total: () => ({ deliveries: arrived.length, unsigned: arrived.filter((one) => !one.isSigned).length }),
  };
}
