import type { TestProject } from 'vitest/node';
import { bundleProgram } from './bundled-program.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** What {@link bundleProgram} has made, for processes whose start is not the matter. */
    program: string;
    /** The same of the command line. */
    commands: string;
  }
}

/** One bundle for all test files of a run. */
export default async function setup(project: TestProject): Promise<() => void> {
  const { entry, cli, remove } = await bundleProgram();
  project.provide('program', entry);
  project.provide('commands', cli);
  return remove;
}
