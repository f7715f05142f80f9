// The answers of the service in memory: pages, successes and refusals in the contract's envelopes.

/** `cursor` here is the number of items before the page. */
export function page(url: URL, items: unknown[]): Response {
  const size = Number(url.searchParams.get("size") ?? 20);
  const cursor = url.searchParams.get("cursor");
  const offset = cursor === null ? (Number(url.searchParams.get("page") ?? 1) - 1) * size : Number(cursor);
  const next_cursor = offset + size < items.length ? String(offset + size) : null;
  const paging = {
    page: offset / size + 1,
    pages: Math.ceil(items.length / size),
    size,
    total: items.length,
    next_cursor,
  };
  const body = { success: true, message: "OK", data: items.slice(offset, offset + size), meta: { paging } };
  return Response.json(body, { headers: { "x-request-id": crypto.randomUUID() } });
}

export function accept(data: unknown, status = 200): Response {
  return Response.json(
    { success: true, message: "OK", data },
    { status, headers: { "x-request-id": crypto.randomUUID() } },
  );
}

export function refuse(
  status: number,
  code: string,
  message: string,
  errors: unknown[] = [],
  data?: unknown,
  headers: Record<string, string> = {},
): Response {
  const init = { status, headers: { "x-request-id": "req-refused", ...headers } };
  return Response.json({ success: false, message, code, errors, ...(data === undefined ? {} : { data }) }, init);
}
