// Finds the screen for an id or an idempotency key typed into the search field.

import { ApiError } from "./api-error.ts";
import { get } from "./call.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The path of the job or schedule that has this id or idempotency key; null if there is none. */
export async function findAnything(text: string): Promise<string | null> {
  if (UUID.test(text)) {
    const id = text.toLowerCase();
    if (await exists(`/v1/jobs/${id}`)) return `/jobs/${id}`;
    if (await exists(`/v1/schedules/${id}`)) return `/schedules/${id}`;
  }
  const { data } = await get<{ id: string }[]>("/v1/jobs", {
    idempotency_key: text,
    origin: ["api", "schedule", "event"],
    size: "1",
  });
  return data[0] ? `/jobs/${data[0].id}` : null;
}

async function exists(path: string): Promise<boolean> {
  try {
    await get(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
