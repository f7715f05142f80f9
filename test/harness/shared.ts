// One service for all files that can share one. It is started beside the tests and awaited by those who need it.

import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { OwnService, Service } from "./service.ts";

declare module "vitest" {
  interface ProvidedContext {
    serviceFolder: string;
  }
}

/** vitest's globalSetup: the answer ends the service, whatever became of the tests. */
export default function setup(project: TestProject): () => Promise<void> {
  const service = new OwnService();
  project.provide("serviceFolder", service.folder);
  return () => service.stop();
}

export const sharedService = (): Promise<Service> => new Service(inject("serviceFolder")).ready();
