// Calls about schedules.

import { type Answer, call, get, type Query } from "./call.ts";
import type { Job } from "./job.ts";
import type { Schedule, Tick } from "./schedule.ts";

export const listSchedules = (query: Query, signal?: AbortSignal): Promise<Answer<Schedule[]>> =>
  get("/v1/schedules", query, signal);

export async function getSchedule(id: string, signal?: AbortSignal): Promise<Schedule> {
  return (await get<Schedule>(`/v1/schedules/${id}`, {}, signal)).data;
}

export async function nextRuns(id: string, count: number, signal?: AbortSignal): Promise<Tick[]> {
  return (await get<Tick[]>(`/v1/schedules/${id}/preview`, { count: String(count) }, signal)).data;
}

/** What a schedule with this timing would do; nothing is created. */
export async function previewRuns(timing: object, signal: AbortSignal): Promise<Tick[]> {
  return (await call<Tick[]>("POST", "/v1/schedules/preview", { body: timing, signal })).data;
}

export async function createSchedule(body: object): Promise<Schedule> {
  return (await call<Schedule>("POST", "/v1/schedules", { body })).data;
}

/** Changes fields of a schedule, if nobody has changed it since that revision. */
export async function editSchedule(id: string, body: object, revision: number): Promise<Schedule> {
  return (await call<Schedule>("PATCH", `/v1/schedules/${id}`, { body, ifMatch: revision })).data;
}

/** @returns the schedule as it is now */
export async function changeSchedule(id: string, verb: "pause" | "resume" | "archive"): Promise<Schedule> {
  return (await call<Schedule>("POST", `/v1/schedules/${id}/${verb}`)).data;
}

/** @returns the job that is due now */
export async function triggerSchedule(id: string): Promise<Job> {
  return (await call<Job>("POST", `/v1/schedules/${id}/trigger`)).data;
}
