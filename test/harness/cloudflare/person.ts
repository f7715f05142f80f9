// Somebody who deploys, with an account on the stand-in, a clone and a home of their own.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectCopy } from "./project-copy.ts";
import { type Ended, type Run, runDeploy } from "./run-deploy.ts";
import { StandIn } from "./stand-in.ts";
import { ACCOUNT } from "./state.ts";

export const HOST = "chronos.stand-in.workers.dev";

/** Somebody with an account, a clone and a home. */
export class Person {
  readonly cloudflare: StandIn;
  readonly home = mkdtempSync(join(tmpdir(), "chronos-home-"));
  readonly clone = projectCopy();

  private constructor(cloudflare: StandIn) {
    this.cloudflare = cloudflare;
  }

  static async arrive(): Promise<Person> {
    return new Person(await StandIn.start());
  }

  get folder(): string {
    return join(this.home, ".config/chronos-edge/cloudflare", ACCOUNT, "chronos");
  }

  secret(file: string): string {
    return readFileSync(join(this.folder, file), "utf8").trim();
  }

  deploy(run: Run = {}): Promise<Ended> {
    return runDeploy(this.cloudflare, this.home, { project: this.clone.path, ...run });
  }

  call(key: string, method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.cloudflare.url}/served/${HOST}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** The state on Cloudflare after a run. Secrets that equal the copy are replaced by a fixed text. */
  async left() {
    const text = JSON.stringify(this.cloudflare.state.summary());
    const named = text.replace(this.secret("master-key"), "the copy").replace(this.secret("admin-token"), "the copy");
    const accounts = await this.cloudflare.rows<{ n: number }>(
      "chronos",
      "SELECT count(*) AS n FROM accounts WHERE status = 'active'",
    );
    return { ...JSON.parse(named), accounts: accounts[0]?.n };
  }

  async leave(): Promise<void> {
    await this.cloudflare.stop();
    this.clone.remove();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The API key that a deployment has shown. */
export const keyIn = ({ output }: Ended): string | undefined => /^ {2}API key +(\S+)/m.exec(output)?.[1];

/** Everybody who arrives during some tests. They leave together. */
export class People {
  readonly #arrived: Person[] = [];

  readonly arrive = async (): Promise<Person> => {
    const person = await Person.arrive();
    this.#arrived.push(person);
    return person;
  };

  readonly leave = async (): Promise<void> => {
    await Promise.all(this.#arrived.map((person) => person.leave()));
  };
}
