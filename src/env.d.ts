// What wrangler.toml cannot declare: secrets, and switches of local use.

declare namespace Cloudflare {
  interface Env {
    /** 32 random bytes in base64, at least 32 characters: every account's signing secret is derived from it. */
    MASTER_KEY?: string;
    /** The one before, beside it during a change. */
    MASTER_KEY_PREVIOUS?: string;
    /** Opens the operator's endpoints; without it, or with one of fewer than 32 characters, they answer 404. */
    ADMIN_TOKEN?: string;
    /** "true" in development only: pushes may go to http and local hosts. */
    ALLOW_LOCAL_TARGETS?: string;
  }
}

/** Standard JavaScript (JSON.parse source text access) that TypeScript's library does not declare yet. */
interface JSON {
  parse(
    text: string,
    reviver: (this: unknown, name: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
  /** A number, text, true, false or null that JSON.stringify writes as it stands. */
  rawJSON(text: string): object;
}
