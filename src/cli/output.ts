/**
 * Writes to standard output and waits until the reader has taken it, so that a slow one is not answered by a process
 * that fills its memory, or that ends with half of the text unwritten.
 */
export async function print(text: string): Promise<void> {
  const written = Promise.withResolvers<void>();
  process.stdout.write(text, (error) => {
    if (error) written.reject(error);
    else written.resolve();
  });
  await written.promise;
}

export async function printLine(line: string): Promise<void> {
  await print(`${line}\n`);
}

export function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
