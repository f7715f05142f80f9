// A program as a user writes it with a client that was generated from the document.

import createClient from "openapi-fetch";
import type { paths } from "./dist/api.d.ts";

const [baseUrl = "", key = ""] = process.argv.slice(2);
const chronos = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

const { data: created, error } = await chronos.POST("/v1/jobs", {
  body: { name: "made by a generated client", handler: "hello", delay: { value: 1, unit: "hour" }, payload: { n: 1 } },
});
if (error) throw new Error(`${error.code}: ${error.message}`);
const { id, status } = created.data;

const { data: listed } = await chronos.GET("/v1/jobs", { params: { query: { status: ["pending"], size: 10 } } });
const found = listed?.data.some((job) => job.id === id);

const refused = await chronos.POST("/v1/jobs/{id}/retry", { params: { path: { id } } });
console.log(JSON.stringify({ id, status, found, code: refused.error?.code }));

// The types refuse what the service would.
// @ts-expect-error there is no such path
void (() => chronos.GET("/v1/jobz"));
// @ts-expect-error a job has a name
void (() => chronos.POST("/v1/jobs", { body: { handler: "hello" } }));
// @ts-expect-error a delay has a unit of time
void (() => chronos.POST("/v1/jobs", { body: { name: "a", delay: { value: 1, unit: "fortnight" } } }));
