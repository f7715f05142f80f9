import type { Operations } from "../operation.ts";

export const accounts: Operations = {
  "GET /v1/api-keys": {
    id: "listApiKeys",
    tag: "Account",
    summary: "List API keys",
    answer: { data: "ApiKey", as: "page", message: "API keys." },
    examples: { all: { summary: "All of them", query: { size: "50" } } },
  },
  "POST /v1/api-keys": {
    id: "createApiKey",
    tag: "Account",
    summary: "Create an API key",
    description:
      "The key is shown in this answer and never again. An account has at most 50; those that have expired leave the list when " +
      "another one is created. A key that expires creates only keys that expire no later.",
    answer: { status: 201, data: "NewApiKey", message: "API key created. It is shown only this once." },
    refuses: ["conflict"],
    examples: {
      key: { summary: "One for a worker", body: { name: "worker in Frankfurt", scope: "worker" } },
      dashboard: {
        summary: "One to look with, for a while",
        body: { name: "dashboard", scope: "read", expires_at: "2099-01-01T00:00:00Z" },
      },
    },
  },
  "DELETE /v1/api-keys/:id": {
    id: "deleteApiKey",
    tag: "Account",
    summary: "Delete an API key",
    description:
      "It is refused at once here, and within 60 s everywhere. The last key of an account that has the scope `full` and does " +
      "not expire cannot be deleted.",
    answer: { data: "Deleted", message: "API key deleted." },
    refuses: ["not_found", "conflict"],
  },
  "GET /v1/signing-secret": {
    id: "getSigningSecret",
    tag: "Account",
    summary: "Read the signing secret",
    answer: { data: "SigningSecret", message: "Signing secret." },
  },
  "POST /v1/signing-secret/rotate": {
    id: "rotateSigningSecret",
    tag: "Account",
    summary: "Rotate the signing secret",
    description:
      "Until the overlap ends, `X-Chronos-Signature` is made with the old secret and `webhook-signature` carries both. A " +
      "second rotation before then is 409.",
    answer: { data: "SigningSecret", message: "Signing secret rotated." },
    refuses: ["conflict"],
    examples: { rotate: { summary: "With two days to change over", body: { overlap_hours: 48 } } },
  },
  "POST /v1/admin/accounts": {
    id: "createAccount",
    tag: "Operator",
    summary: "Create an account",
    answer: {
      status: 201,
      data: "NewAccount",
      message: "Account created. Its first API key is shown only this once.",
    },
    examples: { account: { summary: "One for a team", body: { name: "growth" } } },
  },
  "GET /v1/admin/accounts": {
    id: "listAccounts",
    tag: "Operator",
    summary: "List accounts",
    answer: { data: "Account", as: "page", message: "Accounts." },
    examples: { first: { summary: "The first ten", query: { size: "10" } } },
  },
  "POST /v1/admin/accounts/:id/suspend": {
    id: "suspendAccount",
    tag: "Operator",
    summary: "Suspend an account",
    description: "Its keys are answered 403 `account_suspended`, within 60 s everywhere, and its due attempts wait.",
    answer: { data: "Account", message: "Account suspended. Its keys are refused and its due attempts wait." },
    refuses: ["not_found"],
  },
  "POST /v1/admin/accounts/:id/resume": {
    id: "resumeAccount",
    tag: "Operator",
    summary: "Resume an account",
    answer: { data: "Account", message: "Account resumed. Its due attempts follow within 15 minutes." },
    refuses: ["not_found"],
  },
  "POST /v1/admin/accounts/:id/move": {
    id: "moveAccount",
    tag: "Operator",
    summary: "Move an account to another database",
    description:
      "Its rows are copied while it works. Then creating and changing are answered 503 with `Retry-After`, usually for a few seconds; " +
      "reading goes on, and so do its live jobs. `moving_to` is null once it is there. Asked for again, it changes nothing; to yet " +
      "another database it is 409 until then.",
    answer: {
      status: 202,
      data: "Account",
      message: "The account moves. Its `moving_to` is null once it is there.",
    },
    refuses: ["not_found", "conflict"],
    examples: { move: { summary: "To the first one", body: { database: 0 } } },
  },
  "DELETE /v1/admin/accounts/:id": {
    id: "deleteAccount",
    tag: "Operator",
    summary: "Delete an account",
    description: "There is no way back.",
    answer: {
      data: "Deleted",
      message: "Account deleted. Its keys are revoked at once, its jobs no longer run and are removed.",
    },
    refuses: ["not_found"],
  },
};
