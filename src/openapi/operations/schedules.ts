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
      "15 minutes in those nights, too. With an `idempotency_key` the request is safe to send again, such as each time your " +
      "application starts: the second answer is 409, and its `data` is the schedule that is there.",
    answer: { status: 201, data: "Schedule", message: "Schedule created." },
    refuses: ["idempotency_key_conflict", "schedule_limit_reached"],
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
      ensured: {
        summary: "Safe to send again; a run is skipped while the one before has not ended",
        body: {
          name: "Nightly import",
          handler: "import",
          cron: "0 3 * * *",
          timezone: "Europe/Berlin",
          overlap: "skip",
          expires_after: { value: 4, unit: "hour" },
          tags: ["nightly"],
          idempotency_key: "nightly-import",
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
    description: "Of a paused schedule: what it would do if it were resumed now.",
    answer: { data: "Tick", as: "all", message: "The next runs." },
    refuses: ["schedule_not_found"],
    examples: { three: { summary: "The next three", query: { count: "3" } } },
  },
  "PATCH /v1/schedules/:id": {
    id: "updateSchedule",
    tag: "Schedules",
    summary: "Change a schedule",
    description:
      "Fields that are left out stay as they are. So do those that are null, but for `backoff`, `expires_after`, `tags`, `flow` and " +
      "`overlap`, which go back to their defaults. Takes effect from the next run; a paused schedule can be changed, too. With " +
      "`If-Match` only the revision that you have read is changed; each run makes a new one.",
    answer: { data: "Schedule", message: "Schedule changed. It takes effect from the next run." },
    refuses: [
      "precondition_failed",
      "handler_required_for_pull",
      "schedule_not_found",
      "schedule_archived",
      "schedule_completed",
      "schedule_status_changed",
    ],
    examples: {
      later: { summary: "An hour later", body: { cron: "0 10 * * 1" } },
      skip: { summary: "One job at a time, without an expiry", body: { overlap: "skip", expires_after: null } },
    },
  },
  "POST /v1/schedules/:id/pause": {
    id: "pauseSchedule",
    tag: "Schedules",
    summary: "Pause a schedule",
    description:
      "Runs that fall due while it is paused make no jobs and are not counted as missed. A run that was due before still makes its " +
      "job. Pausing it again changes nothing.",
    answer: { data: "Schedule", message: "Schedule paused. No run falls due until it is resumed." },
    refuses: ["schedule_not_found", "schedule_archived", "schedule_completed"],
  },
  "POST /v1/schedules/:id/resume": {
    id: "resumeSchedule",
    tag: "Schedules",
    summary: "Resume a paused schedule",
    description:
      "It goes on with the first run from now. An interval counts on from the runs before the pause. If none is left before " +
      "`stop_at`, the schedule is completed. Resuming an active schedule changes nothing.",
    answer: { data: "Schedule", message: "Schedule resumed." },
    refuses: ["schedule_not_found", "schedule_archived", "schedule_completed"],
  },
  "POST /v1/schedules/:id/trigger": {
    id: "triggerSchedule",
    tag: "Schedules",
    summary: "Run a schedule's job now",
    description:
      "Makes a job that is due now, beside the runs: it does not count in `runs` or `run_count`, and no run waits for it. Works for " +
      "an active and for a paused schedule. The job has no idempotency key: if an answer is lost and the request is sent again, " +
      "there may be two jobs. A `traceparent` header is kept, as for any job that is created.",
    answer: { status: 201, data: "Job", message: "Job created." },
    refuses: ["schedule_not_found", "schedule_archived", "schedule_completed"],
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
