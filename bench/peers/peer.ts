// What a peer has to be able to do for the benchmark.

export interface PeerJob {
  readonly name: string;
  readonly payload: unknown;
  /** Epoch milliseconds. */
  readonly due: number;
  /** Empty: nobody is told. */
  readonly url: string;
}

export interface Producer {
  create(job: PeerJob): Promise<string>;
  bulk(jobs: readonly PeerJob[]): Promise<unknown>;
}

export interface Delivered extends PeerJob {
  readonly id: string;
}

export type Handler = (job: Delivered) => Promise<void>;

export interface Adapter {
  /** Makes its schema if need be. */
  producer(url: string): Promise<Producer>;
  /** Works with this many jobs at a time, until the process ends. */
  work(url: string, concurrency: number, handle: Handler): Promise<unknown>;
}
