// The environment that wrangler is run in.

import { expect, it } from "vitest";
import { environmentOf } from "../../../deploy/wrangler.ts";

it("holds none of our secrets, and what wrangler needs", () => {
  const ours = { MASTER_KEY: "a", MASTER_KEY_PREVIOUS: "b", ADMIN_TOKEN: "c", CHRONOS_API_KEY: "d" };
  const own = { ...ours, CLOUDFLARE_API_TOKEN: "token", PATH: "/bin" } as unknown as NodeJS.ProcessEnv;
  const { CLOUDFLARE_API_TOKEN, PATH, WRANGLER_WRITE_LOGS, ...rest } = environmentOf(own);
  expect([CLOUDFLARE_API_TOKEN, PATH, WRANGLER_WRITE_LOGS]).toEqual(["token", "/bin", "false"]);
  expect(Object.keys(rest).filter((name) => name in ours)).toEqual([]);
});
