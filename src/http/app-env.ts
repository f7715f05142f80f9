// What every handler finds in its context.

import type { Context } from "hono";
import type { Account, HeldKey } from "../accounts/accounts-store.ts";
import type { Session } from "../accounts/session.ts";
import type { ErrorCode } from "./errors.ts";

/** The platform's clock, chance and ids, handed in so that a test may hand in others. */
export interface Platform {
  readonly now: () => number;
  readonly newId: () => string;
  /** An id for a job or a schedule that is made now. */
  readonly newJobId: (now: number) => string;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface AppEnv {
  Bindings: Cloudflare.Env;
  Variables: {
    platform: Platform;
    requestId: string;
    /** Set once the caller has proved who it is. */
    account: Account;
    key: HeldKey;
    /** Set when that proof was the dashboard's session. */
    session: Session | undefined;
    /** The endpoint that is called: its method and path, as the router has them. */
    route: string;
    /** The refusal a request ended with, for its log line. */
    code: ErrorCode;
  };
}

export type AppContext = Context<AppEnv>;
