// An answer is read in whatever way its fetch offers it: the service has done the work when it comes.

import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { Chronos, type FetchLike, type FetchResponse } from "../src/index.ts";
import { pass, setUp } from "./setup.ts";

type Shape = (answer: { status: number; headers: Headers; text: string }) => FetchResponse;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const eachByte = (text: string) => [...bytesOf(text)].map((byte) => Uint8Array.of(byte));

const SHAPES: [string, Shape][] = [
  ["a web stream", ({ status, headers, text }) => new Response(text, { status, headers })],
  [
    "a Node.js stream, as of node-fetch",
    ({ status, headers, text }) => ({ status, headers, body: Readable.from(eachByte(text)), text: async () => text }),
  ],
  [
    "a Node.js stream and nothing else",
    ({ status, headers, text }) => ({ status, headers, body: Readable.from(eachByte(text)) }),
  ],
  ["a stream of text", ({ status, headers, text }) => ({ status, headers, body: Readable.from([...text]) })],
  ["text() alone, as of cross-fetch", ({ status, headers, text }) => ({ status, headers, text: async () => text })],
  [
    "text() beside a null body",
    ({ status, headers, text }) => ({ status, headers, body: null, text: async () => text }),
  ],
  ["text() beside an odd body", ({ status, headers, text }) => ({ status, headers, body: {}, text: async () => text })],
  [
    "arrayBuffer() alone",
    ({ status, headers, text }) => ({ status, headers, arrayBuffer: async () => bytesOf(text).buffer }),
  ],
  [
    "json() alone, as of many mocks",
    ({ status, headers, text }) => ({ status, headers, json: async () => JSON.parse(text) }),
  ],
  ["a body of text", ({ status, headers, text }) => ({ status, headers, body: text })],
  [
    "plain headers",
    ({ status, headers, text }) => ({
      status,
      headers: Object.fromEntries(headers),
      json: async () => JSON.parse(text),
    }),
  ],
];

/** A client on the service in memory whose fetch gives its answers in this shape. */
function shaped(shape: Shape) {
  const kit = setUp();
  const fetch: FetchLike = async (url, init) => {
    const response = (await kit.line.fetch(url, init)) as Response;
    return shape({ status: response.status, headers: response.headers, text: await response.text() });
  };
  const { apiKey, baseUrl } = kit.app;
  return { ...kit, chronos: new Chronos({ apiKey, baseUrl, fetch, logger: kit.logger }) };
}

it.each(SHAPES)("creates, lists and runs jobs through answers with %s", async (_, shape) => {
  const { chronos, app } = shaped(shape);
  const { id } = await chronos.jobs.create({ name: "Ünal 😀", handler: "hello" });
  expect((await chronos.jobs.list().page()).items).toMatchObject([{ id, name: "Ünal 😀" }]);
  chronos.worker.handle("hello", () => "done");
  const running = chronos.worker.start();
  await pass(100);
  const stopped = chronos.worker.stop();
  await pass(21_000);
  await Promise.all([running, stopped]);
  expect(app.job(id)).toMatchObject({ status: "completed", result: "done", attempts: 1 });
});

it.each(SHAPES)("reads refusals through answers with %s", async (_, shape) => {
  const { chronos } = shaped(shape);
  const refused = chronos.jobs.create({ name: "", handler: "a" });
  await expect(refused).rejects.toMatchObject({ code: "validation_error", status: 422, requestId: "req-refused" });
});

const read =
  (shape: Shape): Shape =>
  (answer) => {
    const response = shape(answer) as Response;
    void response.text();
    return response;
  };
it.each<[string, Shape, RegExp]>([
  [
    "cannot be read in any way",
    ({ status, headers }) => ({ status, headers }),
    /fetch option gives answers that cannot be read/,
  ],
  ["were read before", read((answer) => new Response(answer.text, answer)), /fetch option has read an answer before/],
])("does not say that there was no answer when answers %s, and ends the worker", async (_, shape, message) => {
  const { chronos, logged } = shaped(shape);
  await expect(chronos.jobs.get("a")).rejects.toMatchObject({ name: "ChronosConfigError", message });
  chronos.worker.handle("hello", () => {});
  const running = chronos.worker.start();
  running.catch(() => {});
  await pass(21_000);
  await expect(running).rejects.toThrow(message);
  expect(logged("error")[0]).toMatch(message);
});
