// What we send, push deliveries and events alike, and what its receiver may answer.

const text = { type: "string" };

const HEADERS: [name: string, description: string, schema: object, example: string][] = [
  [
    "X-Chronos-Delivery-Id",
    "The execution's id.",
    { type: "string", format: "uuid" },
    "7d44fe73-7a9f-4a3e-8f0c-52f2a8a7e2a1",
  ],
  ["X-Chronos-Timestamp", "When it was signed, in Unix seconds.", { type: "string", pattern: "^\\d+$" }, "1768474800"],
  [
    "X-Chronos-Signature",
    "`sha256=` and the hex HMAC-SHA256 of `{delivery id}.{timestamp}.{raw body}`, keyed with the whole signing secret as it stands.",
    { type: "string", pattern: "^sha256=[0-9a-f]{64}$" },
    `sha256=${"0123456789abcdef".repeat(4)}`,
  ],
  [
    "X-Chronos-Job-Id",
    "The job's id, the same for every attempt.",
    { type: "string", format: "uuid" },
    "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55",
  ],
  ["X-Chronos-Attempt", "The number of the execution.", { type: "string", pattern: "^\\d+$" }, "1"],
  [
    "webhook-id",
    "Standard Webhooks: the job's id, of an event that of the job which carries it.",
    text,
    "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55",
  ],
  [
    "webhook-timestamp",
    "Standard Webhooks: when it was signed, in Unix seconds.",
    { type: "string", pattern: "^\\d+$" },
    "1768474800",
  ],
  [
    "webhook-signature",
    "Standard Webhooks: one signature `v1,<base64>` for each secret in force, separated by spaces.",
    { type: "string", pattern: "^v1,\\S+( v1,\\S+)*$" },
    "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
  ],
];

const parameters = HEADERS.map(([name, description, schema, example]) => ({
  name,
  in: "header",
  required: true,
  description,
  schema,
  example,
}));

/** An event as its receiver sees it. */
const eventOf = (operationId: string, summary: string, schema: string, description: string) => ({
  post: {
    operationId,
    tags: ["Webhooks"],
    summary,
    description: `${description} \`webhook-id\`, the same for every attempt, is the key to notice a repetition by. Events have no order.`,
    security: [],
    parameters,
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
    },
    responses: {
      "2XX": { description: "The event has arrived." },
      default: {
        description:
          "Tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h when it is 408, 425, 429 or 5xx, or when no answer came " +
          "within 15 s; any other is final.",
      },
    },
  },
});

export const WEBHOOKS = {
  jobEvent: eventOf(
    "jobEvent",
    "A job has ended",
    "JobEvent",
    "Sent to each webhook that asks for the type, and to the job's own callback (`job.completed` and `job.failed`). `data` is the job at its end.",
  ),
  scheduleEvent: eventOf(
    "scheduleEvent",
    "A schedule has missed runs, or is over",
    "ScheduleEvent",
    "Sent to each webhook that asks for the type. `data` is the schedule.",
  ),
  flowEvent: eventOf(
    "flowEvent",
    "A flow's breaker has paused it, or lets it go on",
    "FlowEvent",
    "Sent to each webhook that asks for the type. `data` is the flow.",
  ),
  testEvent: eventOf("testEvent", "A test", "TestEvent", "Sent by `POST /v1/webhooks/{id}/test`."),
  delivery: {
    post: {
      operationId: "delivery",
      tags: ["Jobs"],
      summary: "A push delivery",
      description:
        "Sent to a job's `delivery.http.url` with its `method`, whichever of the five that is, and its own `headers`; " +
        "`User-Agent` is `chronos.sh/1.0`. A job created with a `traceparent` header sends that, unless its own headers name one. A GET carries no body, and its signatures cover the empty one. Redirects are not followed.",
      security: [],
      parameters,
      requestBody: {
        required: true,
        content: { "application/json": { schema: { $ref: "#/components/schemas/DeliveryBody" } } },
      },
      responses: {
        "2XX": { description: "The job is completed." },
        "3XX": { description: "Not followed: the job fails for good, with `redirect`." },
        "408": { description: "Tried again." },
        "425": { description: "Tried again." },
        "429": { description: "Tried again; `Retry-After` is honoured up to an hour." },
        "4XX": { description: "The job fails for good, with `http_status`." },
        "5XX": { description: "Tried again with exponential backoff; `Retry-After` is honoured up to an hour." },
      },
    },
  },
};
