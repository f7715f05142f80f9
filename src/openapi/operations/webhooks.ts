import type { Operations } from "../operation.ts";

export const webhooks: Operations = {
  "POST /v1/webhooks": {
    id: "createWebhook",
    tag: "Webhooks",
    summary: "Create a webhook",
    description:
      "From the answer on, each event of these types is a signed POST to the URL, at least once: a push job of its own with " +
      "`origin` `event`, retried for about a day. `job.recovered` is a job that completed after a failure; `schedule.missed` a " +
      "schedule that skipped runs because they fell into an outage. `flow.paused` and `flow.resumed` tell of a flow's breaker. " +
      "An endpoint that has failed for five days is disabled. An account has at most 20.",
    answer: { status: 201, data: "Webhook", message: "Webhook created." },
    refuses: ["conflict"],
    examples: {
      failures: {
        summary: "Be told when a job fails, and when it works again",
        body: { url: "https://example.com/webhooks/chronos", events: ["job.failed", "job.recovered"] },
      },
      schedules: {
        summary: "Watch schedules",
        body: {
          url: "https://example.com/webhooks/schedules",
          events: ["schedule.missed", "schedule.completed"],
          description: "Operations",
        },
      },
    },
  },
  "GET /v1/webhooks": {
    id: "listWebhooks",
    tag: "Webhooks",
    summary: "List webhooks",
    description: "Oldest first.",
    answer: { data: "Webhook", as: "page", message: "Webhooks." },
    examples: { all: { summary: "All of them" } },
  },
  "GET /v1/webhooks/:id": {
    id: "getWebhook",
    tag: "Webhooks",
    summary: "Read a webhook",
    description: "Its deliveries are jobs: `GET /v1/jobs?origin=event&tag=webhook:<id>`.",
    answer: { data: "Webhook", message: "Webhook." },
    refuses: ["webhook_not_found"],
  },
  "PATCH /v1/webhooks/:id": {
    id: "updateWebhook",
    tag: "Webhooks",
    summary: "Change a webhook",
    description:
      "What is left out stays. It holds for events from now on; deliveries under way keep their URL. `enabled: true` clears " +
      "`disabled_reason` and `failing_since`, and so does another URL the latter.",
    answer: { data: "Webhook", message: "Webhook changed." },
    refuses: ["webhook_not_found"],
    examples: {
      enable: { summary: "Enable it again", body: { enabled: true } },
      more: { summary: "Be told of more", body: { events: ["job.failed", "job.cancelled", "job.recovered"] } },
    },
  },
  "DELETE /v1/webhooks/:id": {
    id: "deleteWebhook",
    tag: "Webhooks",
    summary: "Delete a webhook",
    description: "Deliveries under way go on: cancel them like other jobs.",
    answer: { data: "Nothing", message: "Webhook deleted. Deliveries under way go on." },
    refuses: ["webhook_not_found"],
  },
  "POST /v1/webhooks/:id/test": {
    id: "testWebhook",
    tag: "Webhooks",
    summary: "Send a test event",
    description:
      "Makes an event of type `webhook.test`, for a disabled webhook too. The job in the answer shows how it went.",
    answer: { status: 201, data: "Job", message: "Test event on its way." },
    refuses: ["webhook_not_found"],
  },
};
