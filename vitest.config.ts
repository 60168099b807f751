import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One GraphQL realm: type-graphql and the tests must load the very same copy.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  oxc: {
    decorator: { legacy: true, emitDecoratorMetadata: true },
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  test: {
    pool: 'forks',
    // More than two cores: most files wait for stores and deadlines most of their time.
    maxWorkers: 3,
    // Test files of one worker share the modules they import: loading them again for each file takes as long as the tests.
    isolate: false,
    restoreMocks: true,
    // Bounds for what hangs, far above what anything takes on two busy cores. Nobody waits for the rest of them.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts', 'test/support/bundle-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
