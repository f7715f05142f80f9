// Beside the setup of all tests in workerd: the tables in each database.

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

for (const database of [env.DB_1, env.DB_2, env.DB_3]) await applyD1Migrations(database, env.TEST_MIGRATIONS);
