/** The parts of the bootstrap that its tests call. */
export interface BootstrapOptions {
  readonly servers: boolean;
  readonly build: boolean;
}

export declare class BootstrapError extends Error {}
export declare function parseOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): BootstrapOptions;
export declare function packagesAreCurrent(root: string): boolean;
export declare function buildIsCurrent(root: string): boolean;
export declare function makeBuild(root: string, node: string): Promise<void>;
export declare function operationsAreCurrent(root: string): boolean;
export declare function makeOperations(root: string, node: string): Promise<void>;
export declare function consoleIsCurrent(root: string): boolean;
export declare function makeConsole(root: string, node: string): Promise<void>;
export declare function withLock<T>(file: string, work: () => Promise<T>): Promise<T>;
export declare function missingServersMessage(
  platform: string,
  found: { readonly database?: object; readonly redis?: object },
): string;
export declare function nodeIsReady(root: string): boolean;
export declare function ensureNode(root: string): Promise<string>;
export declare function nodeMessage(found: string): string;
