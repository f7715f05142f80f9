import type { Operations } from "../operation.ts";

export const flows: Operations = {
  "PUT /v1/flows/:key": {
    id: "putFlow",
    tag: "Flows",
    summary: "Set the limits of a flow",
    description:
      "Makes the flow, or sets all of its limits: what is left out is without limit. A flow that is paused stays so unless `paused` " +
      "says otherwise. It takes effect for whatever has not started.",
    answer: {
      status: 201,
      data: "Flow",
      message: "Flow created. Its limits hold for whatever has not started.",
      otherwise: "Flow changed. Its limits hold for whatever has not started.",
    },
    refuses: ["flow_not_found", "conflict", "precondition_failed"],
    examples: {
      concurrency: { summary: "Five at once", body: { concurrency: 5 } },
      rate: { summary: "A hundred a minute", body: { rate: { limit: 100, period: { value: 1, unit: "minute" } } } },
      breaker: {
        summary: "Five at once, and a pause of a minute after ten failures in a row",
        body: { concurrency: 5, breaker: { failures: 10, pause: { value: 1, unit: "minute" } } },
      },
    },
  },
  "GET /v1/flows": {
    id: "listFlows",
    tag: "Flows",
    summary: "List flows",
    description: "By key, each as it is at this moment.",
    answer: { data: "Flow", as: "page", message: "Flows." },
    examples: { all: { summary: "All of them" } },
  },
  "GET /v1/flows/:key": {
    id: "getFlow",
    tag: "Flows",
    summary: "Read a flow",
    description: "Its limits, who waits and who runs. Its jobs: `GET /v1/jobs?flow=<key>`.",
    answer: { data: "Flow", message: "Flow." },
    refuses: ["flow_not_found"],
  },
  "POST /v1/flows/:key/pause": {
    id: "pauseFlow",
    tag: "Flows",
    summary: "Pause a flow",
    description: "Within a second no attempt starts any more. What runs goes on, and what waits keeps its place.",
    answer: { data: "Flow", message: "Flow paused. What waits keeps its place until it is resumed." },
    refuses: ["flow_not_found"],
  },
  "POST /v1/flows/:key/resume": {
    id: "resumeFlow",
    tag: "Flows",
    summary: "Resume a flow",
    description: "It goes on, whether a person or its breaker had paused it.",
    answer: { data: "Flow", message: "Flow resumed." },
    refuses: ["flow_not_found"],
  },
  "DELETE /v1/flows/:key": {
    id: "deleteFlow",
    tag: "Flows",
    summary: "Delete a flow",
    description: "What waits goes on without limits.",
    answer: { data: "Nothing", message: "Flow deleted. What waits goes on without limits." },
    refuses: ["flow_not_found", "precondition_failed"],
  },
};
