// The public surface of @chronos-edge/sdk. Exports only.

export {
  type ApiErrorCode,
  type ApiErrorFacts,
  ChronosApiError,
  type FieldError,
  IdempotencyKeyConflictError,
  PreconditionFailedError,
  ScheduleKeyConflictError,
} from "./api-error.ts";
export type { ApiKey, ApiKeyFilters, CreatedApiKey, KeyScope, NewApiKey } from "./api-key.ts";
export type { ApiKeys } from "./api-keys.ts";
export type { BulkAction, BulkCount, BulkSelection, BulkStatus, BulkVerb, NewBulkAction } from "./bulk-action.ts";
export type { BulkActions, BulkFilters, BulkWaitOptions } from "./bulk-actions.ts";
export type { CallOptions, ChangeOptions, CreateOptions } from "./call-options.ts";
export { Chronos } from "./client.ts";
export { type BatchEntry, CreateManyError } from "./create-many.ts";
export type { Delivery } from "./delivery.ts";
export { ScheduleEndedError } from "./ensure-schedule.ts";
export {
  type AbortCause,
  ChronosConfigError,
  ChronosConnectionError,
  ChronosError,
  ExecutionAbortedError,
  NonRetryableError,
  type SignatureFailure,
  SignatureVerificationError,
} from "./errors.ts";
export type { Execution, ExecutionErrorCode, ExecutionStatus, ExecutionTrigger } from "./execution.ts";
export type { FetchInit, FetchLike, FetchResponse } from "./fetch-like.ts";
export type { Flow, FlowBreaker, FlowFilters, FlowLimits, FlowRate } from "./flow.ts";
export type { Flows } from "./flows.ts";
export type { HandlerFilters, Handlers } from "./handler-list.ts";
export type { HandlerStatus, WorkerSeen } from "./handler-status.ts";
export type {
  AnyHandlers,
  ChronosContext,
  ChronosHandler,
  HandlerMap,
  HandlerName,
  HandlerTypes,
  PayloadOf,
  ResultOf,
} from "./handlers.ts";
export type { HeadersLike } from "./headers-like.ts";
export type {
  Backoff,
  Callback,
  Callbacks,
  Delay,
  HttpMethod,
  Job,
  JobChanges,
  JobFilters,
  JobOrigin,
  JobSelection,
  JobStatus,
  NewJob,
  NewPushJob,
  PullDelivery,
  PushDelivery,
  When,
} from "./job.ts";
export type { Jobs, ManyJob } from "./jobs.ts";
export type { ChronosLogger } from "./logger.ts";
export type { ChronosOptions } from "./options.ts";
export type {
  Overview,
  OverviewBucket,
  OverviewFailure,
  OverviewFlow,
  OverviewMinute,
  OverviewOptions,
  OverviewWindow,
} from "./overview.ts";
export type { Page, PagedList, PagePosition } from "./pages.ts";
export { type QueueBatch, type QueueHandlers, type QueueMessage, queueConsumer } from "./queue-consumer.ts";
export { type RawJson, rawJson } from "./raw-json.ts";
export type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  Overlap,
  PushScheduleSpec,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
  ScheduleSpec,
  ScheduleStatus,
} from "./schedule.ts";
export type { Schedules } from "./schedules.ts";
export type { DeliveryParts, RequestLike, VerifyOptions } from "./verify-signature.ts";
export { verifySignature } from "./verify-signature.ts";
export { verifyWebhook } from "./verify-webhook.ts";
export type { WaitingOn, WaitingReason } from "./waiting-on.ts";
export type {
  EventType,
  FlowEvent,
  JobEvent,
  NewWebhook,
  ScheduleEvent,
  TestEvent,
  Webhook,
  WebhookChanges,
  WebhookEvent,
  WebhookFilters,
} from "./webhook.ts";
export type { Webhooks } from "./webhooks.ts";
export type { Worker, WorkerStartOptions } from "./worker.ts";
