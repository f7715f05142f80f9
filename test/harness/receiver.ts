// The other end of a push: a real HTTP server. Each test opens a target of its own on it and says how that answers.

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { until } from "./until.ts";

/** One request as it arrived. */
export interface Delivery {
  readonly at: number;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The raw text. */
  readonly body: string;
  /** What the body says. */
  readonly json: { job_id: string; execution_id: string; attempt: number; payload: unknown };
  /** What it was answered, whether that could still be taken or not; null before. */
  readonly answered: number | null;
  /** When the connection was cut before the answer was whole; null while it was not. */
  cutAt: number | null;
}

/** A status, or whatever else is to be done with the connection. */
export type Reply = number | ((response: ServerResponse) => void);

/** Never answers. */
export const hang: Reply = () => {};

export class Target {
  readonly url: string;
  readonly deliveries: Delivery[] = [];
  readonly #replies: readonly Reply[];

  constructor(url: string, replies: readonly Reply[]) {
    this.url = url;
    this.#replies = replies;
  }

  /** The part of a job that sends it here. */
  delivery(method = "POST", headers: Record<string, string> = {}) {
    return { delivery: { type: "push", http: { url: this.url, method, headers } } };
  }

  /** Waits for so many deliveries; the last of them is the answer. */
  async receives(count = 1, limitMs = 30_000): Promise<Delivery> {
    const complaint = () => `${this.deliveries.length} instead of ${count} deliveries at ${this.url}`;
    await until(() => this.deliveries.length >= count, limitMs, complaint);
    return this.deliveries[count - 1] as Delivery;
  }

  take(delivery: Delivery, response: ServerResponse): void {
    const reply = this.#replies[Math.min(this.deliveries.length, this.#replies.length - 1)] ?? 200;
    this.deliveries.push(delivery);
    response.once("close", () => {
      if (!response.writableFinished) delivery.cutAt = Date.now();
    });
    if (typeof reply === "number") response.writeHead(reply).end();
    else reply(response);
  }
}

export class Receiver {
  readonly #server: Server;
  readonly #targets = new Map<string, Target>();

  private constructor() {
    // A connection that is closed after some idle seconds may be in use again already: that would be a network failure.
    this.#server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
      const at = Date.now();
      const body = await text(request).catch(() => null);
      if (body === null) return; // it was cut off before it was whole: nothing was delivered
      const json = body === "" ? {} : JSON.parse(body);
      const { method = "", headers, url = "" } = request;
      const delivery = {
        ...{ at, method, headers, body, json, cutAt: null },
        get answered() {
          return response.headersSent ? response.statusCode : null;
        },
      };
      this.#targets.get(url)?.take(delivery, response);
    });
  }

  static async listen(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  /** A target that answers like this, one after the other; the last reply stands for all that follow. */
  target(...replies: readonly Reply[]): Target {
    const path = `/${this.#targets.size + 1}`;
    const { port } = this.#server.address() as AddressInfo;
    const target = new Target(`http://127.0.0.1:${port}${path}`, replies);
    this.#targets.set(path, target);
    return target;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
