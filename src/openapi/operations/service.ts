import type { Operations } from "../operation.ts";

export const service: Operations = {
  "POST /mcp": {
    id: "speakMcp",
    tag: "Assistants",
    summary: "Speak MCP",
    description:
      "A message of the Model Context Protocol (JSON-RPC 2.0) over streamable HTTP, without sessions. The tools are operations of this " +
      "API under their `operationId`, those that the key may call; a call counts as a request of its own. A page of another origin " +
      "is refused with 403.",
    answer: { types: ["application/json", "text/event-stream"], message: "A message of the protocol." },
  },
  "GET /health": {
    id: "getHealth",
    tag: "Service",
    summary: "Ask whether the service is well",
    description:
      "200 when the database answers and the settings make sense; else 503, which names the setting at fault. With several databases, 200 with the `status` `degraded` names in `unanswered` those that " +
      "do not answer: their accounts wait, the others are served.",
    answer: { data: "Health", message: "The service is well." },
    refuses: ["unavailable"],
  },
  "GET /": {
    id: "getAbout",
    tag: "Service",
    summary: "What this is",
    description:
      "JSON for a program; a page for a browser, which asks for `text/html`. The addresses in it are relative to this one.",
    answer: { data: "About", message: "Chronos on the edge." },
  },
  "GET /openapi.json": {
    id: "getDescription",
    tag: "Service",
    summary: "This document",
    answer: { types: ["application/json"], message: "The API in OpenAPI 3.1." },
  },
  "GET /docs": {
    id: "getReference",
    tag: "Service",
    summary: "This document as a page to read and to try",
    answer: { types: ["text/html"], message: "The reference." },
  },
  "GET /docs/reference.js": {
    id: "getReferenceScript",
    tag: "Service",
    summary: "The script of that page",
    answer: { types: ["text/javascript"], message: "It sends what is tried." },
  },
};
