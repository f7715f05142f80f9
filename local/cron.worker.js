// Rings the service's cron. This is what answers at Miniflare's own port, which anybody on this machine can find: only the
// server, which has made the secret, gets past it.

export default {
  /**
   * @param {Request} request
   * @param {{ SECRET: string, SERVICE: { scheduled(event: { scheduledTime: Date, cron: string }): Promise<{ outcome: string }> } }} env
   */
  async fetch(request, env) {
    if (request.headers.get("Authorization") !== env.SECRET) return new Response(null, { status: 404 });
    const { scheduledTime, cron } = await request.json();
    const { outcome } = await env.SERVICE.scheduled({ scheduledTime: new Date(scheduledTime), cron });
    return Response.json({ outcome });
  },
};
