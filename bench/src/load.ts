// Requests under load: a fixed time at a fixed number of connections, or a list of requests as fast as they are taken.

import { Agent, request } from "node:http";
import autocannon from "autocannon";
import { ascending, percentile } from "./stats.ts";

export interface Call {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Rate {
  /** Jobs, or requests where each is one. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** @throws Error when anything but a 2xx comes back: a figure with refusals in it says nothing */
export async function hammer(connections: number, seconds: number, next: () => Call): Promise<Rate> {
  const times: number[] = [];
  const { pathname, search, origin } = new URL(next().url);
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: origin,
        connections,
        duration: seconds,
        requests: [
          {
            method: "POST",
            path: pathname + search,
            setupRequest: (draft) => {
              const { headers, body } = next();
              return { ...draft, headers: { ...headers, "content-type": "application/json" }, body };
            },
          },
        ],
      },
      (error, done) => (error ? reject(error) : resolve(done)),
    );
    instance.on("response", (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
  const bad = result.non2xx + result.errors + result.timeouts;
  if (bad > 0) throw new Error(`${bad} of ${times.length} requests to ${origin}${pathname} were not answered with 2xx`);
  const sorted = ascending(times);
  return { perSecond: times.length / result.duration, p50: percentile(sorted, 50), p99: percentile(sorted, 99) };
}

/** Sends every call over `width` connections that are kept, and answers the parsed bodies in the calls' order. */
export async function sendAll(calls: readonly Call[], width: number): Promise<unknown[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  const answers: unknown[] = [];
  const left = calls.entries();
  const lane = async () => {
    for (const [i, call] of left) answers[i] = await post(call, agent);
  };
  try {
    await Promise.all(Array.from({ length: width }, lane));
  } finally {
    agent.destroy();
  }
  return answers;
}

export function post({ url, headers, body }: Call, agent: Agent): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers: { ...headers, "content-type": "application/json" } });
    sent.on("error", reject);
    sent.on("response", (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const well = answer.statusCode !== undefined && answer.statusCode < 300;
        if (well) resolve(text === "" ? null : JSON.parse(text));
        else reject(new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.end(body);
  });
}
