import { setTimeout as pause } from 'node:timers/promises';
import type { Services } from '../app/modules.js';
import type { BatchKey } from '../codes/batch-generation.service.js';
import { isUnderWay, type CodeBatch } from '../codes/code-batch.entity.js';
import { present } from '../platform/assert.js';
import type { CodeSink } from './code-sink.js';
import { CliError } from './failures.js';
import { openProgress, type Progress } from './progress.js';

const LOOK_EVERY_MS = 250;
/** After it a worker that makes no progress is taken for dead. */
const IDLE_MS_MAX = 3000;

type Part = Pick<Services, 'batchGeneration' | 'batchCodes' | 'codeReader'>;

/** Makes the codes of a large batch in this process, beside workers that may be at it, and writes them. */
export async function finishBatch(services: Part, batch: CodeBatch, sink: CodeSink): Promise<void> {
  const key = { tenantId: batch.tenantId, batchId: batch.id };
  const progress = openProgress(batch.requested);
  const finished = await untilFinished(services, key, progress).finally(() => progress.stop());
  if (finished.status !== 'READY')
    throw new CliError(`Batch ${batch.id} is ${finished.status}: none of its codes can be redeemed.`);
  await writeBatch(services, finished, sink);
}

/** Writes the codes of a batch; those of a HASHED campaign are gone once they are written. */
export async function writeBatch(
  { batchCodes }: Pick<Part, 'batchCodes'>,
  batch: CodeBatch,
  sink: CodeSink,
): Promise<void> {
  if (batch.status !== 'READY')
    throw new CliError(`Batch ${batch.id} is ${batch.status}: its codes are not there yet.`);
  let written = 0;
  for await (const codes of batchCodes.parts({ tenantId: batch.tenantId, batchId: batch.id })) {
    await sink.write(codes);
    written += codes.length;
  }
  if (written < batch.generated)
    throw new CliError(
      `${written} of the ${batch.generated} codes of batch ${batch.id} were written: the campaign does not keep the others, which were handed out before, or were not fetched within a day.`,
    );
}

async function untilFinished(services: Part, key: BatchKey, progress: Progress): Promise<CodeBatch> {
  for (;;) {
    await services.batchGeneration.run(key, {
      mayGoOn: () => true,
      onChunk: ({ generated }) => progress.reach(generated),
    });
    const batch = await idle(services, key, progress);
    if (!isUnderWay(batch)) return batch;
  }
}

/** Looks on while another process works at the batch. @returns it when it is finished, or does not move */
async function idle({ codeReader }: Part, key: BatchKey, progress: Progress): Promise<CodeBatch> {
  let generated = -1;
  let movedAtMs = performance.now();
  for (;;) {
    const found = await codeReader.batch(key.tenantId, key.batchId);
    const batch = present(found, 'The batch of this command');
    const nowMs = performance.now();
    if (batch.generated !== generated) movedAtMs = nowMs;
    generated = batch.generated;
    progress.reach(generated);
    if (!isUnderWay(batch) || nowMs - movedAtMs > IDLE_MS_MAX) return batch;
    await pause(LOOK_EVERY_MS);
  }
}
