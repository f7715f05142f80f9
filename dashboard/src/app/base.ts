// The addresses of the dashboard and the API. They are read from the script's own address, so that a proxy may put both under a
// path.

const script = new URL(import.meta.url);

/** The path of the dashboard, without a slash at its end: `/dashboard`. */
export const DASHBOARD = script.pathname.slice(0, script.pathname.lastIndexOf("/"));

/** The path in front of `/v1`: empty unless a proxy adds one. */
export const SERVICE = DASHBOARD.slice(0, DASHBOARD.lastIndexOf("/"));

/** The service's address as one would give it to curl. */
export const SERVICE_URL = script.origin + SERVICE;
