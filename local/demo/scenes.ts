// What the demo shows: each scene makes something, says how it must end, and where its present state is to be read.
import { setTimeout as sleep } from "node:timers/promises";
import type { DevAccount } from "../account.ts";
import type { Receiver } from "./receiver.ts";

export type State = readonly [status: string, runs: number, deliveries: number];

export interface Scene {
  title: string;
  delivery: "push" | "pull";
  wanted: State;
  read(): Promise<State>;
}

/** What is read of a job, a schedule, or a worker's claim. */
type Data = Record<"id" | "status" | "job_id" | "execution_id", string> & { attempts?: number; run_count?: number };

const inSeconds = (value: number) => ({ value, unit: "second" });

/** Makes them all. `followUps` is what is done to some of them a little later. */
export async function makeScenes(account: DevAccount, receiver: Receiver, stopped: AbortSignal) {
  const call = callerOf(account, stopped);
  const stateAt = (resource: string, path: string) => async (): Promise<State> => {
    const { data } = await call("GET", resource);
    return [data.status, data.attempts ?? data.run_count ?? 0, receiver.deliveriesAt(path)];
  };
  const make = async (title: string, spec: object, wanted: State, path = "", failing = 0) => {
    const job = { name: title, ...(path && { delivery: receiver.push(path, failing) }), ...spec };
    const { id } = (await call("POST", "/v1/jobs", job)).data;
    const scene: Scene = { title, delivery: path ? "push" : "pull", wanted, read: stateAt(`/v1/jobs/${id}`, path) };
    return { id, scene };
  };

  const once = { delay: inSeconds(3), idempotency_key: "order-4711" };
  const jobs = await Promise.all([
    make("in three seconds", once, ["completed", 1, 1], "/reminder"),
    make("cancelled in time", { delay: inSeconds(60) }, ["cancelled", 0, 0], "/regretted"),
    make("at once", { payload: { to: "ada@example.com" } }, ["completed", 1, 1], "/welcome"),
    make("fails twice, then works", {}, ["completed", 3, 3], "/flaky", 2),
    make("for a worker that polls", { handler: "resize", delay: inSeconds(1) }, ["completed", 1, 0]),
  ]);
  const [reminder, regretted] = jobs;

  async function repeat(): Promise<Scene> {
    const again = { ...once, name: "in three seconds", delivery: receiver.push("/again") };
    const { status, data } = await call("POST", "/v1/jobs", again);
    const shown = `${status} ${data.id === reminder.id ? "same job" : "another job"}`;
    const read = async (): Promise<State> => [shown, 0, receiver.deliveriesAt("/again")];
    return { title: "the same key again", delivery: "push", wanted: ["409 same job", 0, 0], read };
  }

  async function schedule(): Promise<Scene> {
    const spec = { name: "ticks", interval: inSeconds(2), runs: 2, delivery: receiver.push("/tick") };
    const { data } = await call("POST", "/v1/schedules", spec);
    const read = stateAt(`/v1/schedules/${data.id}`, "/tick");
    return { title: "every two seconds, twice", delivery: "push", wanted: ["completed", 2, 2], read };
  }

  /** A worker of one job: it polls, and reports what it has done. */
  async function work(): Promise<void> {
    const { data } = await call("POST", "/v1/worker/jobs/claim", { handlers: ["resize"] });
    if (!data) throw new Error("The worker was given no job in 20 seconds.");
    const report = { execution_id: data.execution_id, result: { width: 640 } };
    await call("POST", `/v1/worker/jobs/${data.job_id}/complete`, report);
  }

  const cancel = () => call("POST", `/v1/jobs/${regretted.id}/cancel`);
  const scenes = [...jobs.map(({ scene }) => scene), ...(await Promise.all([repeat(), schedule()]))];
  return { scenes, followUps: Promise.all([sleep(2_000).then(cancel), work()]) };
}

/** One call, one answer. A conflict is an answer that the demo wants to see, any other refusal its end. */
const callerOf = ({ url, api_key }: DevAccount, signal: AbortSignal) =>
  async function call(method: "GET" | "POST", path: string, body?: object) {
    const headers = { Authorization: `Bearer ${api_key}`, "Content-Type": "application/json" };
    const answer = await fetch(url + path, { method, headers, signal, body: body ? JSON.stringify(body) : null });
    const { message, data }: { message: string; data: Data } = JSON.parse(await answer.text());
    if (answer.ok || answer.status === 409) return { status: answer.status, data };
    throw new Error(`${method} ${path} was answered ${answer.status}: ${message}`);
  };
