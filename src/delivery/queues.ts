// The Cloudflare Queues a user's own Workers consume: each is bound to this service as `QUEUE_<NAME>`, its name in upper
// case with underscores. The queue `image-resize` is bound as QUEUE_IMAGE_RESIZE.

const PREFIX = "QUEUE_";

/** The queues there are, by their names. */
export function namedQueues(env: Cloudflare.Env): ReadonlyMap<string, Queue> {
  const bound = Object.entries(env).filter(([binding]) => binding.startsWith(PREFIX));
  return new Map(bound.map(([binding, queue]) => [nameOf(binding), queue as Queue]));
}

/** The binding that a queue of this name needs. */
export const bindingOf = (name: string): string => `${PREFIX}${name.toUpperCase().replaceAll("-", "_")}`;

const nameOf = (binding: string): string => binding.slice(PREFIX.length).toLowerCase().replaceAll("_", "-");
