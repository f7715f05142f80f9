// A real target for pushes. It answers as the path says, checks each signature, and remembers every delivery.

import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sleep } from "./wait.ts";

/** One request as it arrived. */
export interface Delivery {
  readonly jobId: string;
  readonly executionId: string;
  readonly at: number;
  /** What it was answered, whether the answer could still be taken or not. */
  status: number;
}

export class Receiver {
  readonly #server: Server;
  readonly #deliveries = new Map<string, Delivery[]>();
  readonly #secrets = new Map<string, string>();
  badSignatures = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async listen(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  /** Where a tenant's jobs go: answers `200` after `slowMs`, and before that fails so many times. */
  url({ id, signingSecret }: { id: string; signingSecret: string }, fails: number, slowMs: number): string {
    this.#secrets.set(id, signingSecret);
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${id}/${fails}/${slowMs}`;
  }

  deliveriesOf = (jobId: string): readonly Delivery[] => this.#deliveries.get(jobId) ?? [];

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const [, accountId = "", fails = "0", slowMs = "0"] = (request.url ?? "").split("/");
    let body = "";
    try {
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
    } catch {
      return; // it was cut off before it was whole: nothing was delivered
    }
    const { job_id: jobId, execution_id: executionId } = JSON.parse(body);
    if (!this.#isSigned(request, executionId, this.#secrets.get(accountId) ?? "", body)) this.badSignatures += 1;
    const before = this.deliveriesOf(jobId);
    const status = before.filter((one) => one.status === 500).length < Number(fails) ? 500 : 200;
    const delivery: Delivery = { jobId, executionId, at, status: 0 };
    this.#deliveries.set(jobId, [...before, delivery]);
    await sleep(Number(slowMs));
    delivery.status = status;
    response.writeHead(status).end();
  }

  #isSigned({ headers }: IncomingMessage, executionId: string, secret: string, body: string): boolean {
    const text = `${executionId}.${headers["x-chronos-timestamp"]}.${body}`;
    return headers["x-chronos-signature"] === `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
  }
}
