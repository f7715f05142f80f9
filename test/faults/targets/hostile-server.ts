// Targets that misbehave, on a raw socket: each way of it has its path. What was sent to them is counted.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

export type Misdeed =
  | "reset"
  | "closed at once"
  | "hangs before the headers"
  | "hangs in the headers"
  | "hangs in the body"
  | "breaks off in the body"
  | "endless body"
  | "1 GB body"
  | "compressed bomb"
  | "compressed bomb that we inflate ourselves"
  | "slow loris"
  | "endless headers"
  | "endless interim answers"
  | "malformed HTTP"
  | "redirect to a private address"
  | "redirect to itself"
  | "200 after the timeout"
  | "200 while it is being cancelled";

const OK = "HTTP/1.1 200 OK\r\n";
const GIGABYTE = 2 ** 30;
const CHUNK = Buffer.alloc(65_536, "x");

/** A gzip member of 10 MB of zeros, said again and again. */
const BOMB = gzipSync(Buffer.alloc(10_000_000));

export class HostileServer {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Requests by job, with the moment they arrived and the moment the connection was let go. */
  readonly requests = new Map<string, { at: number; closedAt: number | null }>();
  /** Paths that must never be asked for. */
  readonly trespasses: string[] = [];
  bytesSent = 0;
  /** Released by the test: the answer to a job that is being cancelled. */
  readonly answers = new Map<string, () => void>();

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  static async listen(): Promise<HostileServer> {
    const server = new HostileServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => {});
    let text = "";
    let jobId: string | undefined;
    socket.on("close", () => {
      this.#open.delete(socket);
      const request = this.requests.get(jobId ?? "");
      if (request) request.closedAt = Date.now();
    });
    socket.on("data", (data) => {
      if (jobId !== undefined) return;
      text += data;
      jobId = /"job_id":"([^"]+)"/.exec(text)?.[1];
      if (jobId === undefined) return;
      this.requests.set(jobId, { at: Date.now(), closedAt: null });
      const path = decodeURIComponent(/^\w+ \/(\S*)/.exec(text)?.[1] ?? "");
      void this.#misbehave(path, socket, jobId);
    });
  }

  async #misbehave(path: string, socket: Socket, jobId: string): Promise<void> {
    switch (path as Misdeed) {
      case "reset":
        return void socket.resetAndDestroy();
      case "closed at once":
        return void socket.end();
      case "hangs before the headers":
        return;
      case "hangs in the headers":
        return void socket.write(`${OK}Content-Type: text/pl`);
      case "hangs in the body":
        return void socket.write(`${OK}Content-Length: 1000\r\n\r\nbeginning`);
      case "breaks off in the body":
        return void socket.write(`${OK}Content-Length: 1000\r\n\r\nbeginning`, () => socket.destroy());
      case "endless body":
        socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
        return this.#pour(socket, Buffer.concat([Buffer.from("10000\r\n"), CHUNK, Buffer.from("\r\n")]), Infinity);
      case "1 GB body":
        socket.write(`${OK}Content-Length: ${GIGABYTE}\r\n\r\n`);
        return this.#pour(socket, CHUNK, GIGABYTE / CHUNK.length);
      case "compressed bomb":
        socket.write(`${OK}Content-Encoding: gzip\r\nConnection: close\r\n\r\n`);
        return this.#pour(socket, BOMB, 10_000);
      case "compressed bomb that we inflate ourselves": // the platform knows the name in lower case only
        socket.write(`${OK}Content-Encoding: GZIP\r\nConnection: close\r\n\r\n`);
        return this.#pour(socket, BOMB, 10_000);
      case "slow loris":
        return this.#drip(socket, `${OK}Content-Type: ${"x".repeat(1_000)}`);
      case "endless headers":
        socket.write(OK);
        return this.#pour(socket, Buffer.from(`X-More: ${"x".repeat(8_000)}\r\n`), Infinity);
      case "endless interim answers":
        for (; !socket.destroyed; await sleep(5)) socket.write("HTTP/1.1 102 Processing\r\n\r\n");
        return;
      case "malformed HTTP":
        return void socket.end("NONSENSE \0\u0001 200 maybe\r\n\r\n");
      case "redirect to a private address":
        return void socket.end("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n\r\n");
      case "redirect to itself":
        return void socket.end(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${this.origin}/trespass\r\n\r\n`);
      case "200 after the timeout":
        await sleep(TIMEOUT_SECONDS * 1_000 + 300);
        return void socket.end(`${OK}Content-Length: 2\r\n\r\nok`);
      case "200 while it is being cancelled":
        this.answers.set(jobId, () => void socket.end(`${OK}Content-Length: 2\r\n\r\nok`));
        return;
      default:
        this.trespasses.push(path);
    }
  }

  /** As much as the other side takes, and no more than is taken. */
  async #pour(socket: Socket, chunk: Buffer, times: number): Promise<void> {
    for (let i = 0; i < times && !socket.destroyed; i++) {
      this.bytesSent += chunk.length;
      if (socket.write(chunk)) continue;
      await new Promise((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
    }
    socket.end();
  }

  async #drip(socket: Socket, text: string): Promise<void> {
    for (const letter of text) {
      if (socket.destroyed) return;
      socket.write(letter);
      await sleep(50);
    }
  }
}

/** The timeout of every job that goes here. */
export const TIMEOUT_SECONDS = 2;
