// A person's changes of mind: a job is edited, run before its time, replaced under its key, deleted, each beside the reference; and
// the same while the service is killed, when the request is sent again until it is answered.

import { setTimeout as sleep } from "node:timers/promises";
import { aContent, someExpiry, someFields, someTime } from "./content.ts";
import type { Act, Acts, Ground, JobJson } from "./ground.ts";
import { jobMade } from "./life-acts.ts";
import type { ReferenceJob } from "./reference.ts";
import * as reference from "./reference.ts";

const always = () => true;
const hasKey = ({ key }: ReferenceJob) => key !== null;

export const changeActs = (ground: Ground): Acts => ({
  edit: { weight: 14, fits: always, to: (job) => edit(ground, job) },
  "edit on a condition": { weight: 6, fits: always, to: (job) => editOnCondition(ground, job) },
  run: { weight: 8, fits: always, to: (job) => run(ground, job) },
  replace: { weight: 10, fits: hasKey, to: (job) => replace(ground, job) },
  delete: { weight: 6, fits: always, to: (job) => remove(ground, job) },
});

/** So long a request may have been on its way when the service dies. */
const MAX_WAY_MS = 40;

/** Changes in whose midst the service is killed. Each may be sent again: it says what is to be, not what is to be done to it. */
export const killedActs = (ground: Ground): readonly Act[] => {
  const meanwhile =
    (act: (ground: Ground, job: ReferenceJob) => Promise<void>) =>
    async (job: ReferenceJob): Promise<void> => {
      const killing = sleep(ground.chance.between(0, MAX_WAY_MS)).then(() => ground.kill());
      await Promise.all([act(ground, job), killing]);
    };
  const isFar = (job: ReferenceJob) => job.status === "waiting" && job.runAt > Date.now() + 600_000;
  return [
    { weight: 1, fits: isFar, to: meanwhile(edit) },
    { weight: 1, fits: isFar, to: meanwhile(run) },
    { weight: 1, fits: hasKey, to: meanwhile(replace) },
    { weight: 1, fits: reference.isOver, to: meanwhile(remove) },
  ];
};

interface Edit {
  readonly body: object;
  readonly isRetimed: boolean;
  readonly change: reference.Change;
}

function anEdit({ chance }: Ground): Edit {
  const asked = someFields(chance);
  const time = chance.happens(35) ? someTime(chance) : undefined;
  const expiry = chance.happens(25) ? someExpiry(chance) : undefined;
  return {
    body: { ...asked, ...time?.body, ...expiry?.body },
    isRetimed: time !== undefined,
    change: { asked, ...(expiry && { expiresAfterMs: expiry.ms }) },
  };
}

async function edit(ground: Ground, job: ReferenceJob): Promise<void> {
  const { body, isRetimed, change } = anEdit(ground);
  const allowed = reference.changeStatuses(job, isRetimed, Date.now());
  const answer = await ground.call<JobJson>("PATCH", `/v1/jobs/${job.id}`, body);
  if (!allowed.includes(answer.status)) return ground.wrong(`edit of ${job.status}, ${JSON.stringify(body)}`, answer);
  if (answer.status === 200) await isChanged(ground, job, { body, isRetimed, change }, answer.body.data);
}

/** The time counts from the moment the service heard of it: it is as it is told. */
async function isChanged(ground: Ground, job: ReferenceJob, { isRetimed, change }: Edit, told: JobJson): Promise<void> {
  const scheduledFor = Date.parse(told.scheduled_for);
  reference.changed(job, isRetimed ? { ...change, scheduledFor } : change);
  await ground.isListed(job, told);
}

async function editOnCondition(ground: Ground, job: ReferenceJob): Promise<void> {
  const known = await ground.call<JobJson>("GET", `/v1/jobs/${job.id}`);
  const tag = known.headers.get("ETag");
  const { revision } = known.body.data;
  if (tag !== `"${revision}"`) return ground.fault(`the ETag of revision ${revision} is ${tag}`);
  const isStale = ground.chance.happens(30);
  const made = anEdit(ground);
  const condition = { "If-Match": isStale ? `"${revision - 1}", "0"` : `"7000", "${revision}"` };
  const may = reference.changeStatuses(job, made.isRetimed, Date.now());
  // What becomes due meanwhile has moved on.
  const allowed = isStale ? [412] : may.length > 1 ? [...may, 412] : may;
  const answer = await ground.call<JobJson>("PATCH", `/v1/jobs/${job.id}`, made.body, condition);
  if (!allowed.includes(answer.status))
    return ground.wrong(`edit of ${job.status} ${revision} on ${condition["If-Match"]}`, answer);
  if (answer.status === 200) await isChanged(ground, job, made, answer.body.data);
}

async function run(ground: Ground, job: ReferenceJob): Promise<void> {
  const allowed = reference.changeStatuses(job, false, Date.now());
  const answer = await ground.call<JobJson>("POST", `/v1/jobs/${job.id}/run`);
  // Said again after a kill, it may meet the job that the first one made due.
  if (answer.tries > 1 && answer.status === 409) return isRunAlready(ground, job);
  if (!allowed.includes(answer.status)) return ground.wrong(`run of ${job.status}`, answer);
  if (answer.status !== 200) return;
  reference.run(job, Date.parse(answer.body.data.run_at ?? ""));
  await ground.isListed(job, answer.body.data);
}

async function isRunAlready(ground: Ground, job: ReferenceJob): Promise<void> {
  const answer = await ground.call<JobJson>("GET", `/v1/jobs/${job.id}`);
  if (answer.body.data.status !== "queued") return ground.wrong("a job that was run, and is not", answer);
  reference.run(job, Date.parse(answer.body.data.run_at ?? ""));
}

/** What is pending is overwritten; what has begun, or ended, loses its key to a new job. */
async function replace(ground: Ground, job: ReferenceJob): Promise<void> {
  const { chance } = ground;
  const { asked, expiry } = aContent(chance);
  const { key } = job;
  const body = { ...asked, ...expiry.body, ...someTime(chance).body, idempotency_key: key, on_conflict: "replace" };
  const isPending = job.status === "waiting" && !job.isRetry;
  const mayBegin = isPending && Date.now() >= job.runAt - reference.SLACK_MS;
  const answer = await ground.call<JobJson>("POST", "/v1/jobs", body);
  const told = answer.body.data;
  if (answer.status !== 200 && answer.status !== 201) return ground.wrong(`replacement of ${job.status}`, answer);
  if (told.id === job.id) {
    if (answer.status !== 200 || !isPending) return ground.wrong(`replacement of ${job.status}`, answer);
    const scheduledFor = Date.parse(told.scheduled_for);
    reference.changed(job, { asked, expiresAfterMs: expiry.ms, scheduledFor });
    return ground.isListed(job, told);
  }
  // Said again after a kill, it may overwrite the job that the first one made.
  const isNew = answer.status === 201 || answer.tries > 1;
  if (!isNew || (isPending && !mayBegin)) return ground.wrong(`replacement of ${job.status} by another`, answer);
  reference.keyTaken(job);
  const made = jobMade(told, { key, asked, expiresAfterMs: expiry.ms });
  ground.jobs.push(made);
  await ground.isListed(made, told);
}

async function remove(ground: Ground, job: ReferenceJob): Promise<void> {
  const answer = await ground.call("DELETE", `/v1/jobs/${job.id}`);
  const isGoneAlready = answer.tries > 1 && answer.status === 404 && reference.isOver(job);
  if (answer.status !== (reference.isOver(job) ? 200 : 409) && !isGoneAlready)
    return ground.wrong(`deletion of ${job.status}`, answer);
  if (!reference.isOver(job)) return;
  ground.jobs.splice(ground.jobs.indexOf(job), 1);
  ground.gone.push(job);
}
