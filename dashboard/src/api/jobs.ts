// Calls about jobs. The answer to a change is remembered: a list may lag behind it, and shows it all the same.

import { signal } from "@preact/signals";
import type { ApiError } from "./api-error.ts";
import { type Answer, call, get, type Query } from "./call.ts";
import type { Execution, Job, Verb } from "./job.ts";

/** The latest that is known of jobs that were changed here; null of those that were deleted. */
const changed = signal<ReadonlyMap<string, Job | null>>(new Map());

/** Enough for a person's changes of some minutes; the lists have long caught up with older ones. */
const REMEMBERED = 500;

function remember(id: string, job: Job | null): void {
  const others = [...changed.value].filter(([known]) => known !== id).slice(1 - REMEMBERED);
  changed.value = new Map([...others, [id, job]]);
}

/** The newer of a job as it was listed and as the answer to a change showed it; null if it was deleted here. */
export function latest(job: Job): Job | null {
  const known = changed.value.get(job.id);
  if (known === undefined) return job;
  return known === null || known.revision > job.revision ? known : job;
}

export function forgetChanges(): void {
  changed.value = new Map();
}

export const listJobs = (query: Query, signal?: AbortSignal): Promise<Answer<Job[]>> => get("/v1/jobs", query, signal);

export async function getJob(id: string, signal?: AbortSignal): Promise<Job> {
  return (await get<Job>(`/v1/jobs/${id}`, {}, signal)).data;
}

/** The most that the service gives at once. */
const EXECUTIONS = 100;

/** The executions of a page, oldest first; of the last page by default. */
export async function executionsOf(
  id: string,
  page: number | undefined,
  signal?: AbortSignal,
): Promise<Answer<Execution[]>> {
  const ask = (n: number) =>
    get<Execution[]>(`/v1/jobs/${id}/executions`, { page: String(n), size: String(EXECUTIONS) }, signal);
  const answer = await ask(page ?? 1);
  const pages = answer.paging?.pages ?? 1;
  return page === undefined && pages > 1 ? ask(pages) : answer;
}

/** Cancels, retries or runs a job. @returns the job as it is now */
export async function change(id: string, verb: Exclude<Verb, "delete">): Promise<Job> {
  const { data } = await call<Job>("POST", `/v1/jobs/${id}/${verb}`);
  remember(id, data);
  return data;
}

export async function deleteJob(id: string): Promise<void> {
  await call("DELETE", `/v1/jobs/${id}`);
  remember(id, null);
}

export async function createJob(body: object): Promise<Job> {
  return (await call<Job>("POST", "/v1/jobs", { body })).data;
}

/** Changes fields of a job, if nobody has changed it since that revision. */
export async function editJob(id: string, body: object, revision: number): Promise<Job> {
  const { data } = await call<Job>("PATCH", `/v1/jobs/${id}`, { body, ifMatch: revision });
  remember(id, data);
  return data;
}

/** The job that a refusal shows, as it is now: of a key that is in use, or of a change that came too late. */
export const jobIn = (error: ApiError): Job | null =>
  typeof error.data === "object" && error.data !== null && "revision" in error.data ? (error.data as Job) : null;
