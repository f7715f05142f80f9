declare namespace Cloudflare {
  interface Env {
    /** The seed of this run; empty takes any. */
    FAULTS_SEED: string;
    /** How many hostile requests are sent; empty means the quick cut. */
    FAULTS_REQUESTS: string;
  }
}
