// The protocol itself, by its official library. It is loaded when the first assistant comes: its schemas take a tenth of a
// second to set up, which no job is to wait for.

import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from "@modelcontextprotocol/server";
import { version } from "../../package.json";
import { answerOf, refusal, type ToolAnswer } from "./answer.ts";
import { type Arguments, faultIn } from "./arguments.ts";
import { called, type Send } from "./call.ts";
import type { Tool } from "./tools.ts";

export interface Exchange {
  readonly request: Request;
  /** What the request carries, when there is anything. */
  readonly body: unknown;
  /** All tools there are: the API says which of them this key may call. */
  readonly tools: readonly Tool[];
  /** Those that are listed. */
  readonly listed: readonly Tool[];
  readonly send: Send;
  readonly onFault: (fault: unknown) => void;
}

const INSTRUCTIONS = `Chronos runs jobs once at their time: pushed to a URL, or pulled by a worker.
To find out why a job has not run, read it with getJob: \`waiting_on\` says why and what to do. listExecutions shows each attempt and its error.
getOverview says how all of it is doing. Lists are paged: ask for few with \`size\`, and go on with \`cursor\`.
Give createJob an \`idempotency_key\`, so that a repetition makes no second job.`;

/** One request, one answer: nothing is kept between two. */
export function exchange({ request, body, tools, listed, send, onFault }: Exchange): Promise<Response> {
  const serverFor = () => {
    const server = new Server(
      { name: "chronos-edge", title: "Chronos on the edge", version },
      { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
    );
    server.setRequestHandler("tools/list", () => ({ tools: listed.map(({ shown }) => ({ ...shown })) }));
    server.setRequestHandler("tools/call", async ({ params }) => {
      const tool = tools.find(({ shown }) => shown.name === params.name);
      if (!tool)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool of the name ${params.name}.`);
      return answered(tool, params.arguments ?? {}, send).catch((fault: unknown) => {
        onFault(fault);
        return refusal("Something went wrong on our side. (internal_error)"); // the library would tell what was thrown
      });
    });
    return server;
  };
  const handler = createMcpHandler(serverFor, { onerror: onFault, keepAliveMs: 0, maxSubscriptions: 0 });
  return handler.fetch(request, body === undefined ? {} : { parsedBody: body });
}

async function answered(tool: Tool, args: Arguments, send: Send): Promise<ToolAnswer> {
  const fault = faultIn(args, tool.inPath);
  return fault === undefined ? answerOf(await called(tool, args, send)) : refusal(fault);
}
