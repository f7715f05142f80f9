// Many at once, and what schedules do besides ticking, beside the reference: batches with keys that are new, taken, or named twice;
// schedules that are made under a key, paused, resumed, changed, and triggered.

import { randomUUID } from "node:crypto";
import { aContent, someFields, someTime } from "./content.ts";
import type { Acts, Ground, JobJson } from "./ground.ts";
import { jobMade } from "./life-acts.ts";
import type { Asked } from "./reference.ts";

interface BatchEntry {
  readonly status: number;
  readonly code?: string;
  readonly job: JobJson;
}

interface ScheduleJson {
  readonly id: string;
  readonly status: string;
  readonly next_run_at: string | null;
  readonly run_count: number;
}

/** A schedule whose first tick lies far behind the end of the walk. */
interface ReferenceSchedule {
  readonly id: string;
  readonly key: string;
  asked: Asked;
  isPaused: boolean;
}

export function manyActs(ground: Ground): Acts {
  const schedules: ReferenceSchedule[] = [];
  const ofOne = (act: (schedule: ReferenceSchedule) => Promise<void>) => async () => {
    if (schedules.length > 0) await act(ground.chance.pick(schedules));
  };
  return {
    batch: { weight: 8, run: () => createBatch(ground) },
    schedule: { weight: 2, run: () => createSchedule(ground, schedules) },
    "schedule again": { weight: 2, run: ofOne((schedule) => createAgain(ground, schedule)) },
    pause: { weight: 3, run: ofOne((schedule) => turn(ground, schedule, true)) },
    resume: { weight: 3, run: ofOne((schedule) => turn(ground, schedule, false)) },
    "change a schedule": { weight: 2, run: ofOne((schedule) => change(ground, schedule)) },
    trigger: { weight: 4, run: ofOne((schedule) => trigger(ground, schedule)) },
  };
}

async function createBatch(ground: Ground): Promise<void> {
  const { chance, jobs } = ground;
  const items = Array.from({ length: chance.between(1, 4) }, () => {
    const { asked, expiry } = aContent(chance);
    return { asked, expiry, key: randomUUID().slice(0, 13), time: chance.happens(40) ? someTime(chance).body : {} };
  });
  const [first] = items;
  if (first && chance.happens(40)) items.push({ ...first, ...aContent(chance) });
  const taken = jobs.filter(({ key }) => key !== null);
  if (taken.length > 0 && chance.happens(40)) items.push({ ...items[0], key: chance.pick(taken).key } as never);
  const sent = items.map(({ asked, expiry, key, time }) => ({
    ...asked,
    ...expiry.body,
    ...time,
    idempotency_key: key,
  }));

  const answer = await ground.call<BatchEntry[]>("POST", "/v1/jobs/batch", { jobs: sent });

  const entries = answer.body.data;
  if (answer.status !== 201 || entries.length !== items.length) return ground.wrong("batch", answer);
  for (const [i, { asked, expiry, key }] of items.entries()) {
    const entry = entries[i] as BatchEntry;
    const holder = jobs.find((job) => job.key === key);
    if (holder) {
      const isHolder = entry.status === 409 && entry.code === "idempotency_key_conflict" && entry.job.id === holder.id;
      if (!isHolder) ground.wrong(`entry ${i} of a batch, whose key ${holder.id} holds`, answer);
    } else if (entry.status !== 201) ground.wrong(`entry ${i} of a batch`, answer);
    else {
      const job = jobMade(entry.job, { key, asked, expiresAfterMs: expiry.ms });
      jobs.push(job);
      await ground.isListed(job, entry.job);
    }
  }
}

async function createSchedule(ground: Ground, schedules: ReferenceSchedule[]): Promise<void> {
  const key = randomUUID().slice(0, 13);
  const { asked } = aContent(ground.chance);
  const answer = await ground.call<ScheduleJson>("POST", "/v1/schedules", bodyOf(key, asked));
  if (answer.status !== 201) return ground.wrong("schedule", answer);
  schedules.push({ id: answer.body.data.id, key, asked, isPaused: false });
}

const bodyOf = (key: string, asked: object) => ({
  ...asked,
  interval: { value: 1, unit: "week" },
  idempotency_key: key,
});

async function createAgain(ground: Ground, { id, key, asked }: ReferenceSchedule): Promise<void> {
  const answer = await ground.call<ScheduleJson>("POST", "/v1/schedules", bodyOf(key, { ...asked, name: "again" }));
  if (answer.status !== 409 || answer.body.data.id !== id) ground.wrong("schedule again", answer);
}

/** Said again, either is 200. */
async function turn(ground: Ground, schedule: ReferenceSchedule, isPaused: boolean): Promise<void> {
  const what = isPaused ? "pause" : "resume";
  const answer = await ground.call<ScheduleJson>("POST", `/v1/schedules/${schedule.id}/${what}`);
  schedule.isPaused = isPaused;
  if (answer.status !== 200) ground.wrong(what, answer);
  else await agree(ground, schedule);
}

async function change(ground: Ground, schedule: ReferenceSchedule): Promise<void> {
  const fields = Object.entries(someFields(ground.chance)).filter(([, value]) => value !== null); // null changes nothing in most
  const changes = Object.fromEntries(fields) as Partial<Asked>;
  const answer = await ground.call<ScheduleJson>("PATCH", `/v1/schedules/${schedule.id}`, changes);
  schedule.asked = { ...schedule.asked, ...changes };
  if (answer.status !== 200) ground.wrong("change of a schedule", answer);
  else await agree(ground, schedule);
}

/** A job beside the ticks, paused or not. */
async function trigger(ground: Ground, schedule: ReferenceSchedule): Promise<void> {
  const answer = await ground.call<JobJson>("POST", `/v1/schedules/${schedule.id}/trigger`);
  if (answer.status !== 201) return ground.wrong("trigger", answer);
  ground.jobs.push(jobMade(answer.body.data, { key: null, asked: schedule.asked, expiresAfterMs: null }));
  await agree(ground, schedule);
}

async function agree(ground: Ground, { id, asked, isPaused }: ReferenceSchedule): Promise<void> {
  const answer = await ground.call<ScheduleJson>("GET", `/v1/schedules/${id}`);
  const shown = answer.body.data;
  const isRight = shown.status === (isPaused ? "paused" : "active") && (shown.next_run_at === null) === isPaused;
  if (!isRight || shown.run_count !== 0) ground.wrong(`a schedule that is ${isPaused ? "paused" : "active"}`, answer);
  for (const [field, value] of Object.entries(asked))
    if (JSON.stringify(shown[field as keyof ScheduleJson]) !== JSON.stringify(value))
      ground.wrong(`a schedule whose ${field} is ${JSON.stringify(value)}`, answer);
}
