// Looks whether a port can be had before anything heavy is started. workerd itself binds it later.
import { once } from "node:events";
import { createServer } from "node:net";
import { HOST, StartError } from "./settings.ts";

/** The port to serve on: the one asked for, or any free one for 0. */
export async function freePort(port: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen({ host: HOST, port, exclusive: true });
    await once(probe, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    const reason = code === "EADDRINUSE" ? "is already in use" : `cannot be opened (${code})`;
    throw new StartError(`Port ${port} ${reason}. Stop what uses it, or choose another: PORT=8788 npm start`);
  }
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : port;
}
