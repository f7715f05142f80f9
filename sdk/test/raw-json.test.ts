// Payload and result as text: what parsing would lose goes out, and comes in, as it was written.

import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Chronos, ChronosConfigError, rawJson, verifySignature } from "../src/index.ts";

const TEXT = '{"id":12345678901234567890,"price":1.0,"10":1,"9":2,"id":-0}';
const ID = "0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11";

/** A client whose service answers with these data, which are JSON already, and what it was sent. */
function answering(...answers: string[]) {
  const sent: { path: string; body: string | undefined }[] = [];
  const chronos = new Chronos({
    apiKey: "chrns_test",
    baseUrl: "https://chronos.example.com",
    pollWaitTimeSeconds: 0,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    fetch: async (url: string, { body }: { body?: string | undefined }) => {
      sent.push({ path: new URL(url).pathname, body });
      const data = answers.length > 1 ? answers.shift() : answers[0];
      return new Response(` {"success":true,"message":"Ok.", "data" : ${data} }`);
    },
  });
  return { chronos, sent };
}

const job = (payload: string, result = "null") =>
  `{"id":"${ID}","payload":${payload},"status":"x","result": ${result} }`;

describe("what is read", () => {
  it("has the texts of a job's payload and result beside their values", async () => {
    const { chronos } = answering(job(TEXT, "1e400"));
    expect(await chronos.jobs.get(ID)).toMatchObject({
      payload: JSON.parse(TEXT),
      payloadText: TEXT,
      result: Infinity,
      resultText: "1e400",
    });
  });

  it("has null for the text of nothing", async () => {
    const { chronos } = answering(job("null"));
    expect(await chronos.jobs.get(ID)).toMatchObject({
      payload: null,
      payloadText: null,
      result: null,
      resultText: null,
    });
  });

  it("has them in each item of a list, of schedules and of executions, too", async () => {
    const jobs = await answering(`[${job(TEXT)}, ${job('{"a":[]}', "1.0")}]`)
      .chronos.jobs.list()
      .page();
    expect(jobs.items.map(({ payloadText, resultText }) => [payloadText, resultText])).toEqual([
      [TEXT, null],
      ['{"a":[]}', "1.0"],
    ]);
    const schedules = await answering(`[{"payload":${TEXT}}]`).chronos.schedules.list().page();
    expect(schedules.items.map(({ payloadText }) => payloadText)).toEqual([TEXT]);
    const executions = await answering('[{"result":1.0},{"result":null}]').chronos.jobs.executions(ID).page();
    expect(executions.items.map(({ resultText }) => resultText)).toEqual(["1.0", null]);
  });

  it("has it in a delivery", async () => {
    const [secret, now] = ["s", new Date()];
    const timestamp = String(Math.floor(now.getTime() / 1_000));
    const ids = `"job_id":"j","execution_id":"e","scheduled_for":"2030-01-01T12:00:00.000Z","attempt":1`;
    const body = `{${ids},"payload":${TEXT}}`;
    const headers = {
      "X-Chronos-Delivery-Id": "e",
      "X-Chronos-Timestamp": timestamp,
      "X-Chronos-Signature": `sha256=${createHmac("sha256", secret).update(`e.${timestamp}.${body}`).digest("hex")}`,
    };
    expect(await verifySignature({ headers, body }, secret)).toMatchObject({
      payload: JSON.parse(TEXT),
      payloadText: TEXT,
    });
  });
});

describe("rawJson", () => {
  it("is sent as it is, as a payload of a job and of a schedule", async () => {
    const { chronos, sent } = answering(job(TEXT));
    const payload = rawJson(TEXT);
    await chronos.jobs.create({ name: "n", handler: "h", payload, timeout: 5 });
    await chronos.schedules.create({ name: "n", handler: "h", payload, interval: { value: 1, unit: "hour" } });
    await chronos.schedules.update(ID, { payload });
    expect(sent.map(({ body }) => body)).toEqual([
      `{"name":"n","handler":"h","payload":${TEXT},"timeout":5}`,
      `{"name":"n","handler":"h","interval":{"value":1,"unit":"hour"},"payload":${TEXT}}`,
      `{"payload":${TEXT}}`,
    ]);
  });

  it("is what a handler may return, who is given the payload's text", async () => {
    const claimed = `{"job_id":"${ID}","execution_id":"e","handler":"h","attempt":1,"payload":${TEXT},"timeout":30}`;
    const { chronos, sent } = answering(`[${claimed}]`, '[{"status":200}]');
    const texts: unknown[] = [];
    chronos.worker.handle("h", ({ payloadText }) => {
      texts.push(payloadText);
      void chronos.worker.stop();
      return rawJson(payloadText ?? "");
    });
    await chronos.worker.start();
    expect(texts).toEqual([TEXT]);
    expect(sent.find(({ path }) => path.endsWith("/report"))?.body).toBe(
      `{"reports":[{"job_id":"${ID}","execution_id":"e","status":"completed","result":${TEXT}}]}`,
    );
  });

  it.each(["", "{", "undefined", "{'a':1}"])("refuses what is not JSON: %s", (text) => {
    expect(() => rawJson(text)).toThrow(ChronosConfigError);
  });

  it("is refused below a payload, where it could not be sent as it is", async () => {
    const { chronos, sent } = answering(job(TEXT));
    const payload = { id: rawJson("12345678901234567890") };
    await expect(chronos.jobs.create({ name: "n", handler: "h", payload })).rejects.toThrow(ChronosConfigError);
    expect(sent).toEqual([]);
  });
});
