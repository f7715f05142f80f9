// Calls about flows.

import { type Answer, call, get, type Query } from "./call.ts";
import type { Flow } from "./flow.ts";

const pathOf = (key: string): string => `/v1/flows/${encodeURIComponent(key)}`;

export const listFlows = (query: Query, signal?: AbortSignal): Promise<Answer<Flow[]>> =>
  get("/v1/flows", query, signal);

export async function getFlow(key: string, signal?: AbortSignal): Promise<Flow> {
  return (await get<Flow>(pathOf(key), {}, signal)).data;
}

/** Sets all limits of a flow, which may be new. @param revision as it was read: nobody has changed it since */
export async function putFlow(key: string, limits: object, revision?: number): Promise<Flow> {
  return (await call<Flow>("PUT", pathOf(key), { body: limits, ...(revision !== undefined && { ifMatch: revision }) }))
    .data;
}

/** @returns the flow as it is now */
export async function changeFlow(key: string, verb: "pause" | "resume"): Promise<Flow> {
  return (await call<Flow>("POST", `${pathOf(key)}/${verb}`)).data;
}

export async function deleteFlow(key: string): Promise<void> {
  await call("DELETE", pathOf(key));
}
