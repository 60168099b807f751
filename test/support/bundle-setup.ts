import type { TestProject } from 'vitest/node';
import { bundleProgram } from './bundled-program.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** What {@link bundleProgram} has made, for processes whose start is not the matter. */
    program: string;
  }
}

/** One bundle for all test files of a run. */
export default async function setup(project: TestProject): Promise<() => void> {
  const { entry, remove } = await bundleProgram();
  project.provide('program', entry);
  return remove;
}
