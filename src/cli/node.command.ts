import { Option } from '@commander-js/extra-typings';
import type { SubscriptionNode } from '../subscriptions/nodes/subscription-node.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { collected, example, expectOption, ttlSeconds, yesOrNo } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<SubscriptionNode>('id', 'name', 'address', 'tags', 'enabled', 'version', 'createdAt');

const CREATE = 'node create --tenant CH_123 --name Frankfurt --address fra1.example.com --tag eu';
const TTL_PRESET_S = 900;

export function addNodeCommands(program: Bare): void {
  const group = program
    .command('node')
    .description('Servers that the subscribers of plans may use.')
    .addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the nodes, the newest first.',
    example: 'node list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ nodes }, { tenant }, page) => nodes.list(tenant, {}, page),
  });
  addUpdate(group);
  addDelete(group);
  addToken(group);
}

const ofNode = (command: Bare) => ofTenant(command).requiredOption('--id <id>', 'the node');

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a node, and print its id.',
    example: CREATE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--name <name>', 'the name that people read')
        .requiredOption('--address <address>', 'where subscribers reach it: a host, or a URL')
        .option('--tag <tag>', 'a tag by which plans open it; may be given again', collected)
        .option('--no-enabled', 'is shown to no subscriber, and lets none in'),
    run: async ({ nodes }, { tenant, name, address, tag, enabled }) =>
      nodes.create(tenant, { name, address, tags: tag, enabled }),
    print: async ({ id }) => printLine(id),
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change a node, and print its new state.',
    example: 'node update --tenant CH_123 --id 7312345678901234 --enabled no',
    options: (command) =>
      ofNode(command)
        .option('--name <name>', 'the name that people read')
        .option('--address <address>', 'where subscribers reach it')
        .option(
          '--tag <tag>',
          'a tag; may be given again, and all together replace the present ones',
          collected,
        )
        .option('--enabled <yes|no>', 'whether subscribers see it and are let in', yesOrNo)
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async ({ nodes }, { tenant, id, name, address, tag, enabled, expect: expectedVersion }) =>
      nodes.update(tenant, id, { name, address, tags: tag, enabled, expectedVersion }),
    print: printRow(COLUMNS),
  });
}

function addDelete(group: Bare): void {
  addAction(group, {
    name: 'delete',
    description: 'Delete a node, and print its id. Plans that name it no longer open it.',
    example: 'node delete --tenant CH_123 --id 7312345678901234',
    options: ofNode,
    run: async ({ nodes }, { tenant, id }) => nodes.delete(tenant, id),
    print: printLine,
  });
}

function addToken(group: Bare): void {
  addAction(group, {
    name: 'token',
    description: 'Print a token with which a node reads who may use it.',
    example: 'node token --tenant CH_123 --id 7312345678901234 --ttl 90d',
    options: (command) =>
      ofNode(command).addOption(
        new Option('--ttl <time>', 'how long it holds: 15m, 2h, 7d, or seconds')
          .default(TTL_PRESET_S, '15m')
          .argParser(ttlSeconds),
      ),
    run: async ({ nodes, tokens }, { tenant, id, ttl }) =>
      tokens.sign(await nodes.actorOf(tenant, id), ttl, 'BY_OPERATOR'),
    print: printLine,
  });
}
