/** A file of the project: its path from the root with forward slashes, and what it says. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** A rule of the project, with the violations that prove that it can fail. */
export interface Rule {
  /** Completes the sentence "the project …". */
  readonly says: string;
  /** One line for every violation, beginning with the path. */
  readonly check: (files: readonly ProjectFile[]) => readonly string[];
  /** Small projects that each break the rule once. */
  readonly broken: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A small project that keeps the rule although it looks as if it broke it. */
  readonly kept: Readonly<Record<string, string>>;
}

export function projectOf(files: Readonly<Record<string, string>>): readonly ProjectFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}

/** A rule about one file at a time. */
export function perFile(
  concerns: (path: string) => boolean,
  findings: (file: ProjectFile) => readonly string[],
): Rule['check'] {
  return (files) =>
    files
      .filter((file) => concerns(file.path))
      .flatMap((file) => findings(file).map((finding) => `${file.path}: ${finding}`));
}

export const isCode = (path: string): boolean => /\.(?:[cm]?[jt]s|tsx)$/.test(path);
export const isSource = (path: string): boolean => path.startsWith('src/') && isCode(path);

/** A word built from parts, so that a search for it does not find the rule that forbids it. */
export const word = (...parts: readonly string[]): string => parts.join('');
