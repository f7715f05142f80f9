// The handlers of an account. A stand-in until they are listed: there are none.

import type { HandlerView } from "../../domain/handler.ts";
import { ok } from "../../domain/result.ts";
import type { Stored } from "../../store/store.ts";

export const handlersOf = async (
  _env: Cloudflare.Env,
  _accountId: string,
  _most: number,
): Promise<Stored<readonly HandlerView[]>> => ok([]);
