declare namespace Cloudflare {
  interface Env {
    DB_1: D1Database;
    DB_2: D1Database;
    DB_3: D1Database;
  }
}
