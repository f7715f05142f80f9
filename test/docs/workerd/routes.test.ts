// What is served and what is documented are the same, in both directions; and no check of a request goes unmentioned.

import { describe, expect, it } from "vitest";
import { unwrap } from "../../../src/http/unwrap.ts";
import { endpointsOf, OPERATIONS } from "../../../src/openapi/document.ts";
import { REFUSALS } from "../../../src/openapi/refusals.ts";
import { newAccount } from "../../workerd/harness/account.ts";
import { api, app } from "../../workerd/harness/api.ts";
import { databaseDown } from "../../workerd/harness/database.ts";
import { unsaidChecks } from "../harness/checks.ts";

interface Described {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, unknown>>;
}

/** The dashboard, its session and the guides are for people, and no part of the API. */
const isOfTheApi = (name: string): boolean => !/ \/(?:dashboard|docs\/guides)/.test(name);

const served = new Map([...endpointsOf(app.routes)].filter(([name]) => isOfTheApi(name)));

describe("the document and the router", () => {
  it("name the same methods and paths", async () => {
    const { body } = await api("GET", "/openapi.json");
    const { paths } = body as unknown as Described;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
    );
    expect(documented.sort()).toEqual([...served.keys()].sort());
  });

  it("no words are left over from a route that has gone", () => {
    expect(Object.keys(OPERATIONS).sort()).toEqual([...served.keys()].sort());
  });

  it("every route of the API says what it checks", () => {
    const silent = [...served].filter(([name, parts]) => name.includes(" /v1/") && parts === undefined);
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it("every check that JSON Schema cannot read is put in its terms", () => {
    const unsaid = [...served].flatMap(([name, parts]) =>
      [parts?.params, parts?.query, parts?.body].flatMap((schema) =>
        schema ? unsaidChecks(schema).map((path) => `${name} ${path.slice(1)}`) : [],
      ),
    );
    // A cursor is opaque.
    expect(unsaid.sort()).toEqual(["GET /v1/bulk-actions cursor", "GET /v1/jobs cursor", "GET /v1/schedules cursor"]);
  });
});

describe("refusals nobody can provoke from outside read as their examples", () => {
  it("unavailable", async () => {
    databaseDown();
    const { body } = await api("GET", "/health");
    expect([body.code, body.message]).toEqual(["unavailable", REFUSALS.unavailable.message]);
  });

  it("internal_error", async () => {
    const { key } = await newAccount();
    const broken = { limit: () => Promise.reject(new Error("of the platform")) };
    const { body } = await api("GET", "/v1/jobs", { key, env: { API_RATE_LIMIT: broken } });
    expect([body.code, body.message]).toEqual(["internal_error", REFUSALS.internal_error.message]);
  });

  it("schedule_status_changed", () => {
    const refusal = { ok: false, error: { code: "schedule_status_changed", status: "archived" } } as const;
    expect(() => unwrap(refusal)).toThrow(REFUSALS.schedule_status_changed.message);
  });
});
