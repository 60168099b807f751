import type { Bare } from './action.js';
import { example } from './arguments.js';
import { print } from './output.js';

export function addSchemaCommand(program: Bare): void {
  program
    .command('schema')
    .description('Print the GraphQL schema.')
    .addHelpText('after', example('schema > schema.graphql'))
    .action(async () => {
      const { buildRedeemkitSchema, printSortedSchema } = await import('../app/schema.js');
      await print(printSortedSchema(buildRedeemkitSchema()));
    });
}
