// The first request somebody makes, as a command to copy, with the address of the service that shows it.

/** Where a first job goes. The embedded service may call this machine, and `npm run receive` listens there. */
const LOCAL_TARGET = "http://127.0.0.1:9000/jobs";
const YOUR_TARGET = "https://example.com/jobs";

export interface FirstJob {
  /** The service's address, without a slash at its end. */
  readonly base: string;
  /** True if jobs may be pushed to this machine. */
  readonly isLocal: boolean;
}

export function createCommand({ base, isLocal }: FirstJob): string {
  return `curl -w '\\n' ${base}/v1/jobs \\
  -H "Authorization: Bearer $KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{
    "name": "hello",
    "payload": { "to": "world" },
    "delay": { "value": 5, "unit": "second" },
    "delivery": {
      "type": "push",
      "http": { "url": "${isLocal ? LOCAL_TARGET : YOUR_TARGET}", "method": "POST" }
    }
  }'`;
}

export const listCommand = ({ base }: FirstJob): string =>
  `curl -w '\\n' '${base}/v1/jobs?size=1' -H "Authorization: Bearer $KEY"`;
