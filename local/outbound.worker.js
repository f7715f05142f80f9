// All requests of the Worker pass here while jobs may call public targets only: PUBLIC connects to public addresses alone.

export default {
  /**
   * @param {Request} request
   * @param {{ PUBLIC: Fetcher }} env
   */
  fetch: (request, env) => env.PUBLIC.fetch(request),
};
