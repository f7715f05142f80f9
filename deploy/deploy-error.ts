// Why a deployment cannot go on, in words for the person who started it: shown as it is, without a stack.

export class DeployError extends Error {}

/** Asked to stop, by Ctrl-C for instance. */
export class Stopped extends DeployError {}
