// The envelope of Cloudflare's API.
import type { Context } from "hono";

export const result = (c: Context, value: unknown, info?: object) =>
  c.json({ success: true, errors: [], messages: [], result: value, ...(info ? { result_info: info } : {}) });

export const refusal = (c: Context, status: 400 | 403 | 404 | 409 | 500, code: number, message: string) =>
  c.json({ success: false, errors: [{ code, message }], messages: [], result: null }, status);
