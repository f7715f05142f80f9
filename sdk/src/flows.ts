// Flows over the API: their limits, pause and resume. Every call is repeated after a fault: said twice, it is done once.

import { isPassing, PreconditionFailedError } from "./api-error.ts";
import { type CallLimits, type CallOptions, type ChangeOptions, changeLimitsOf, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Flow, FlowFilters, FlowLimits } from "./flow.ts";
import type { HttpCall } from "./http.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { onceDone } from "./once-done.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import { toJson } from "./wire.ts";
import { flowFromWire, limitsToWire, type WireFlow } from "./wire-flow.ts";

const FILTERS: Fields<FlowFilters> = { size: true };

/**
 * The flows of the account. Reached as `chronos.flows`. A job or a schedule joins one by its `flow`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * await chronos.flows.put("mail-provider", {
 *   concurrency: 5,
 *   rate: { limit: 100, period: { value: 1, unit: "minute" } },
 * });
 * await chronos.jobs.create({ name: "Welcome", handler: "email", flow: "mail-provider" });
 * const { waiting, running } = await chronos.flows.get("mail-provider");
 * console.log(waiting, "wait,", running, "run");
 * ```
 */
export class Flows {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Sets the limits of a flow, and makes it if there is none. They hold for whatever has not started. What is left out is without
   * limit. With `ifMatch`, PreconditionFailedError if it has changed since.
   */
  async put(key: string, limits: FlowLimits, options?: ChangeOptions): Promise<Flow> {
    const body = toJson("The flow", limitsToWire(limits));
    const { ifMatch, ...call } = changeLimitsOf(this.#connection, "flows.put()", options);
    return onceDone(this.#connection, { ...FLOW, method: "PUT", path: flowPath(key), body, ifMatch }, call, {
      read: readFlow,
      lookAgain: async (refusal) => {
        if (!(refusal instanceof PreconditionFailedError)) return undefined;
        const flow = await this.#flow({ method: "GET", path: flowPath(key) }, call);
        return says(flow, limits) ? flow : undefined;
      },
    });
  }

  /** One flow, as its owner knows it now. 404 `flow_not_found` if nobody has defined it. */
  async get(key: string, options?: CallOptions): Promise<Flow> {
    const limits = limitsOf(this.#connection, "flows.get()", options);
    return this.#flow({ method: "GET", path: flowPath(key) }, limits);
  }

  /** The account's flows, by key. Nothing is read before you iterate or ask for a page. */
  list(filters: FlowFilters = {}, options?: CallOptions): PagedList<Flow> {
    checkFields("A list's filter", filters, FILTERS);
    const call = { name: "flows.list()", path: "/v1/flows", query: [], size: filters.size, options };
    return pagedList(this.#connection, call, flowFromWire);
  }

  /** Starts nothing until `resume()`. What runs goes on, and what waits keeps its place. */
  async pause(key: string, options?: CallOptions): Promise<Flow> {
    const limits = limitsOf(this.#connection, "flows.pause()", options);
    return this.#flow({ method: "POST", path: `${flowPath(key)}/pause` }, limits);
  }

  /** Lets it go on, whether a person or the breaker paused it. */
  async resume(key: string, options?: CallOptions): Promise<Flow> {
    const limits = limitsOf(this.#connection, "flows.resume()", options);
    return this.#flow({ method: "POST", path: `${flowPath(key)}/resume` }, limits);
  }

  /**
   * Deletes a flow: what waits goes on without limits. One that is then gone is as good as deleted. With `ifMatch`,
   * PreconditionFailedError if it has changed since.
   */
  async delete(key: string, options?: ChangeOptions): Promise<void> {
    const { ifMatch, ...limits } = changeLimitsOf(this.#connection, "flows.delete()", options);
    await onceDone<null>(this.#connection, { ...FLOW, method: "DELETE", path: flowPath(key), ifMatch }, limits, {
      read: () => null,
      lookAgain: async ({ code }) => (code === "flow_not_found" ? null : undefined),
    });
  }

  async #flow(call: HttpCall, limits: CallLimits): Promise<Flow> {
    const { data } = await retrying(this.#connection, { ...FLOW, ...call }, limits, isPassing);
    return readFlow(data);
  }
}

const FLOW = { about: "flow" } as const;

const readFlow = (data: unknown): Flow => flowFromWire(data as WireFlow);

/** Whether a flow has the limits that were asked for. */
const says = (flow: Flow, { concurrency = null, rate = null, breaker = null, paused = flow.paused }: FlowLimits) =>
  JSON.stringify([flow.concurrency, rateOf(flow), breakerOf(flow), flow.paused]) ===
  JSON.stringify([concurrency, rateOf({ rate }), breakerOf({ breaker }), paused]);

const rateOf = ({ rate }: Pick<Flow, "rate">) => rate && [rate.limit, rate.period.value, rate.period.unit];
const breakerOf = ({ breaker }: Pick<Flow, "breaker">) =>
  breaker && [breaker.failures, breaker.pause.value, breaker.pause.unit];

/** An empty key would address the list instead of a flow. */
function flowPath(key: string): string {
  if (typeof key !== "string" || key === "") throw new ChronosConfigError("A flow's key is required");
  return `/v1/flows/${encodeURIComponent(key)}`;
}
