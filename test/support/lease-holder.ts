import { createInterface } from 'node:readline';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { ExclusiveWork } from '../../src/platform/leases/exclusive-work.js';
import { LeaseLostError } from '../../src/platform/leases/fence.js';

/**
 * A process that holds a lease: `lease-holder.ts DATABASE_URL LEASE SILENCE_MAX_MS`. It says HELD, and answers each line
 * of its input by writing its fence and the line into the table `written`: WRITTEN, or LOST.
 */
const [databaseUrl = '', lease = '', silenceMaxMs = ''] = process.argv.slice(2);
const orm = await connectOrm({ databaseUrl, poolSize: 4, entities: [] });
const transactions = new Transactions(orm);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

await new ExclusiveWork(orm, lease, Number(silenceMaxMs)).during(async (fence) => {
  say('HELD');
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      await transactions.run('T', async (em) => {
        await fence.check(em);
        await em.execute('insert into written (fence, line) values (?, ?)', [fence.no, line]);
      });
      say('WRITTEN');
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      say('LOST');
    }
  }
});
await systemEm(orm).getConnection().close(true);
process.exit();
