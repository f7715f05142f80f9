import type { Operations } from "../operation.ts";

export const overview: Operations = {
  "GET /v1/overview": {
    id: "getOverview",
    tag: "Insight",
    summary: "See how the account's jobs are doing",
    description:
      "What started, completed, failed and was retried, how late it was, what fails, what is overdue, and what is due in the next " +
      "hour. Each execution is counted exactly once, when it is over. A request brings in all that has ended so far, unless there was " +
      "another one within ten seconds; otherwise counts appear within about a minute. After a crash of the service some take minutes " +
      "longer. Counts are kept for seven days. Deliveries of events are left out.",
    answer: { data: "Overview", message: "Overview." },
    examples: {
      hour: { summary: "The last hour, by the minute" },
      week: { summary: "The last seven days, in steps of two hours", query: { window: "7d" } },
    },
  },
  "GET /v1/metrics": {
    id: "getMetrics",
    tag: "Insight",
    summary: "Metrics for Prometheus",
    description:
      "The account's counters, lateness, overdue jobs and handlers in the text format of Prometheus, version 0.0.4. With the " +
      "operator's `ADMIN_TOKEN` in the place of a key: all accounts, each under the label `account`, up to 1,000.",
    answer: { types: ["text/plain"], message: "Metrics, one family after the other." },
  },
};
