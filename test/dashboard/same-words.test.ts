// The dashboard imports nothing of the service, and the front page nothing of the dashboard. What both have to say is the same.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { KEY_SCOPES } from "../../dashboard/src/api/api-key.ts";
import { ERROR_CODES, UNITS } from "../../dashboard/src/api/job.ts";
import { SCHEDULE_STATUSES } from "../../dashboard/src/api/schedule.ts";
import { EVENT_TYPES } from "../../dashboard/src/api/webhook.ts";
import { PROJECT } from "../../local/settings.ts";
import { EVENT_TYPES as EVENTS } from "../../src/domain/event.ts";
import { FAULT_CODES } from "../../src/domain/job.ts";
import { KEY_SCOPES as SCOPES } from "../../src/domain/key-scope.ts";
import { SCHEDULE_STATUSES as SERVED_STATUSES } from "../../src/domain/schedule.ts";
import { UNITS as SERVED_UNITS } from "../../src/domain/schedule-time.ts";
import { BASE_STYLE } from "../../src/openapi/pages/style.ts";

it.each([
  { what: "error codes", shown: ERROR_CODES, served: FAULT_CODES },
  { what: "event types", shown: EVENT_TYPES, served: EVENTS },
  { what: "scopes of keys", shown: KEY_SCOPES, served: SCOPES },
  { what: "statuses of schedules", shown: SCHEDULE_STATUSES, served: SERVED_STATUSES },
  { what: "units", shown: UNITS, served: SERVED_UNITS },
])("the dashboard knows all $what", ({ shown, served }) => {
  expect(shown).toEqual(served);
});

it("the front page has the colours of the dashboard", () => {
  const tokens = coloursIn(readFileSync(join(PROJECT, "dashboard/src/ui/tokens.css"), "utf8"));
  const page = [...coloursIn(BASE_STYLE)].filter(([name]) => name !== "special"); // a colour of the reference alone
  expect(page.length).toBeGreaterThan(10);
  expect(page).toEqual(page.map(([name]) => [name, tokens.get(name)]));
});

const coloursIn = (css: string): Map<string, string> =>
  new Map([...css.matchAll(/--([\w-]+): (light-dark\([^;]+\));/g)].map(([, name = "", value = ""]) => [name, value]));
