import { parse, type OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/platform/scheduling/fair-queue.js';
import { ReadingBudget } from '../../src/transport/reading-budget.js';
import { SchemaAnswers } from '../../src/transport/schema-answers.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { newTransportSchema } from '../support/transport-schema.js';
import { PLACES } from '../support/transport-server.js';

const CALLER: Caller = { tenantId: '', kind: 'ADDRESS', id: '10.0.0.1' };

describe('answers about the schema', () => {
  it('are kept within a bound that counts their texts too', async () => {
    const answers = new SchemaAnswers(newTransportSchema(), new ReadingBudget(), new WorkShares(PLACES));
    const ask = async (no: number) => {
      const document = parse(`#${'x'.repeat(100_000)}\nquery Q${no} { __typename }`);
      const operation = document.definitions[0] as OperationDefinitionNode;
      return answers.answer({ document, operation, variables: {} }, CALLER);
    };
    const first = await ask(0);
    expect(await ask(0)).toBe(first);
    for (let no = 1; no <= 100; no += 1) await ask(no);
    expect(await ask(0)).not.toBe(first);
  });
});
