import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { callCli, refusalLineOf, runCli } from '../support/cli.js';
import { createEmptyDatabase } from '../support/scratch-database.js';

describe('help', () => {
  it('needs no store', async () => {
    const { stdout, stderr, status } = await runCli({}, ['codes', 'generate', '--help']);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('Usage: npx redeemkit codes generate [options]');
  });
});

describe('wrong usage', () => {
  it.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['tokn'], 'Did you mean token?'],
    [['token', '--tenant', 'T'], "required option '--user <id>' not specified"],
    [['token', '--tenant', 'T', '--user', 'u', '--role', 'KING'], 'OWNER, OPERATOR, AUDITOR'],
    [['token', '--tenant', 'T', '--user', 'two words'], 'without spaces'],
    [['codes', 'generate', '--tenant', 'T', '--campaign', '1', '--count', '0'], 'from 1 to'],
    [['tenant', 'create', '--id', 'T', '--name', 'n', '--quota', '-1'], 'whole number'],
    [['plan', 'create', '--tenant', 'T', '--name', 'n', '--unit', 'WEEK', '--price', '1'], 'MONTH'],
    [['redeem', '--tenant', 'T', '--user', 'u', '--product', 'P'], "missing required argument 'code'"],
    [['schema', 'twice'], 'too many arguments'],
  ])('%j ends with 2 and one line', async (args, part) => {
    const { line, status } = await refusalLineOf(callCli({}, args));
    expect(status).toBe(2);
    expect(line).toContain(part);
  });

  it('without a command shows the help', async () => {
    const { stdout, stderr, status } = await callCli({}, []);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain('Usage: ');
  });
});

describe('schema', () => {
  it('prints the schema that is checked in, without a store', async () => {
    const { stdout, stderr, status } = await callCli({}, ['schema']);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('redeemCode(input: RedeemCodeInput!): RedeemCodePayload!');
    expect(stdout.trimEnd()).toBe(
      readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8').trimEnd(),
    );
  });
});

describe('migrate', () => {
  it('applies the missing migrations, prints only their names, and takes them back', async () => {
    const database = await createEmptyDatabase(inject('databaseUrl'));
    const environment = { DATABASE_URL: database.databaseUrl, REDIS_URL: inject('redisUrl') };
    try {
      const asked = await refusalLineOf(callCli(environment, ['token', '--tenant', 'T', '--user', 'u']));
      expect(asked.line).toContain('run `npx redeemkit migrate` first');
      const up = await callCli(environment, ['migrate']);
      expect(up).toMatchObject({ stderr: '', status: 0 });
      expect(up.stdout).toMatch(/^(?:Applied Migration\w+\.\n)+$/);
      const again = await callCli(environment, ['migrate']);
      expect(again).toEqual({ stdout: 'Nothing to do: the schema is up to date.\n', stderr: '', status: 0 });
      for (const name of up.stdout.match(/Migration\w+/g)?.toReversed() ?? []) {
        const down = await callCli(environment, ['migrate', '--down']);
        expect(down).toEqual({ stdout: `Took back ${name}.\n`, stderr: '', status: 0 });
      }
      const nothing = await callCli(environment, ['migrate', '--down']);
      expect(nothing).toEqual({ stdout: 'No migration is left to take back.\n', stderr: '', status: 0 });
    } finally {
      await database.drop();
    }
  });
});
