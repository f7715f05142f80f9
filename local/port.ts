// Looks whether an address can be had before anything heavy is started. workerd itself binds it later.
import { once } from "node:events";
import { createServer } from "node:net";
import { LOOPBACK } from "./addresses.ts";
import { commandLine } from "./packed.ts";
import { StartError } from "./settings.ts";

/** The port to serve on: the one asked for, or any free one for 0. */
export async function freePort(port: number, host: string = LOOPBACK): Promise<number> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new StartError(refusal(host, port, code));
  }
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : port;
}

function refusal(host: string, port: number, code: string): string {
  if (code === "EADDRNOTAVAIL")
    return `HOST is ${host}, which is no address of this machine. Choose one that \`ip address\` shows, or 0.0.0.0 for all`;
  const reason = code === "EADDRINUSE" ? "is already in use" : `cannot be opened (${code})`;
  return `Port ${port} ${reason}. Stop what uses it, or choose another: PORT=8788 ${commandLine("start")}`;
}
