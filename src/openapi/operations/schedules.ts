import type { Operations } from "../operation.ts";

const push = { type: "push", http: { url: "https://example.com/reports", method: "POST" } };

export const schedules: Operations = {
  "POST /v1/schedules": {
    id: "createSchedule",
    tag: "Schedules",
    summary: "Create a schedule",
    description:
      "Each tick makes exactly one job, whose idempotency key is `{schedule_id}.{tick in milliseconds}`. After an outage the " +
      "newest missed tick runs once. A local time that a clock change skips runs at the first moment after the gap; one that " +
      "comes twice runs the first time. A cron whose hour begins with `*` runs by real time instead: `*/15 * * * *` is every " +
      "15 minutes in those nights, too.",
    answer: { status: 201, data: "Schedule", message: "Schedule created." },
    examples: {
      cron: {
        summary: "Mondays at nine, London time",
        body: { name: "Weekly report", cron: "0 9 * * 1", timezone: "Europe/London", delivery: push },
      },
      interval: {
        summary: "Every six hours, ten times",
        body: {
          name: "Warm a cache",
          handler: "warm-cache",
          interval: { value: 6, unit: "hour" },
          runs: 10,
          payload: { cache: "prices" },
        },
      },
    },
  },
  "GET /v1/schedules": {
    id: "listSchedules",
    tag: "Schedules",
    summary: "List schedules",
    description: "Newest first.",
    answer: { data: "Schedule", as: "page", message: "Schedules." },
    examples: { active: { summary: "Those that still run", query: { status: "active" } } },
  },
  "POST /v1/schedules/preview": {
    id: "previewSchedule",
    tag: "Schedules",
    summary: "Show what a schedule would do",
    description: "The next runs, in UTC and in the schedule's zone. Nothing is created.",
    answer: { data: "Tick", as: "all", message: "The next runs." },
    examples: {
      clockChange: {
        summary: "Half past one, in London",
        body: { cron: "30 1 * * *", timezone: "Europe/London", count: 3 },
      },
      interval: { summary: "Every other week", body: { interval: { value: 2, unit: "week" }, runs: 2 } },
    },
  },
  "GET /v1/schedules/:id": {
    id: "getSchedule",
    tag: "Schedules",
    summary: "Read a schedule",
    answer: { data: "Schedule", message: "Schedule." },
    refuses: ["schedule_not_found"],
  },
  "GET /v1/schedules/:id/preview": {
    id: "previewNextRuns",
    tag: "Schedules",
    summary: "Show a schedule's next runs",
    answer: { data: "Tick", as: "all", message: "The next runs." },
    refuses: ["schedule_not_found"],
    examples: { three: { summary: "The next three", query: { count: "3" } } },
  },
  "PATCH /v1/schedules/:id": {
    id: "updateSchedule",
    tag: "Schedules",
    summary: "Change a schedule",
    description: "Fields that are left out, or null, stay as they are. Takes effect from the next run.",
    answer: { data: "Schedule", message: "Schedule changed. It takes effect from the next run." },
    refuses: [
      "handler_required_for_pull",
      "schedule_not_found",
      "schedule_archived",
      "schedule_completed",
      "schedule_status_changed",
    ],
    examples: { later: { summary: "An hour later", body: { cron: "0 10 * * 1" } } },
  },
  "POST /v1/schedules/:id/archive": {
    id: "archiveSchedule",
    tag: "Schedules",
    summary: "Archive a schedule",
    description: "It makes no more jobs, and those that wait for their time are cancelled.",
    answer: { data: "Schedule", message: "Schedule archived. Its pending jobs are cancelled." },
    refuses: ["schedule_not_found", "schedule_archived", "schedule_completed"],
  },
};
