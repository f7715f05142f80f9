// HTTP by hand: what no client library would send, as it stands, and the bytes that come back.

import { connect } from "node:net";

const LIMIT_MS = 10_000;

/**
 * @param text one byte for each character
 * @param ending what is done once it has been sent; left out: wait for the answer
 * @returns the first answer, head and body; empty when there was none
 */
export function sendRaw(url: string, text: string, ending?: "leave" | "half-close"): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let answer = "";
    const end = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LIMIT_MS, () => {
      socket.destroy();
      reject(new Error(`no whole answer in ${LIMIT_MS} ms: ${answer}`));
    });
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
      if (isWhole(answer)) end();
    });
    socket.on("error", end).on("close", end);
    socket.write(text, "latin1", () => {
      if (ending === "leave") setTimeout(end, 100); // so that the request has begun
      if (ending === "half-close") socket.end();
    });
  });
}

function isWhole(answer: string): boolean {
  const [head = "", ...body] = answer.split("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return length !== undefined && body.join("\r\n\r\n").length >= Number(length);
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
