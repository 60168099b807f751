import { expect, it } from 'vitest';
import { ModuleList } from '../../src/app/module.js';
import type { EventConsumer } from '../../src/platform/outbox/event-consumers.js';
import type { KeptData } from '../../src/platform/scheduling/job.js';

interface Base {
  readonly base: number;
  readonly consumers: EventConsumer[];
  readonly keptData: KeptData[];
}

const module = (name: string, services: Record<string, number>) => ({ name, compose: () => ({ services }) });

it('gives a module the services of those before it', () => {
  const second = {
    name: 'second',
    compose: ({ base, first }: { base: number; first: number }) => ({ services: { sum: base + first } }),
  };
  const list = ModuleList.on<Base>()
    .add({ name: 'first', compose: () => ({ services: { first: 2 } }) })
    .add(second);
  expect(list.compose({ base: 1, consumers: [], keptData: [] }).services).toMatchObject({
    base: 1,
    first: 2,
    sum: 3,
  });
});

it('refuses two modules that offer a service of one name', () => {
  const list = ModuleList.on<Base>();
  const twice = list.add(module('a', { rows: 1 })).add(module('b', { rows: 2 }));
  expect(() => twice.compose({ base: 1, consumers: [], keptData: [] })).toThrow(
    'Two modules offer the service rows.',
  );
  expect(() => list.add(module('a', { base: 2 })).compose({ base: 1, consumers: [], keptData: [] })).toThrow(
    'the service base',
  );
});

it('names the consumers of all modules to each of them, also to those composed before', () => {
  const consumer = { name: 'late', types: [], handle: async () => Promise.resolve() };
  const early = {
    name: 'early',
    compose: ({ consumers }: Base) => ({ services: { known: () => consumers.map(({ name }) => name) } }),
  };
  const list = ModuleList.on<Base>()
    .add(early)
    .add({ name: 'late', compose: () => ({ services: {}, consumers: [consumer] }) });
  expect(list.compose({ base: 1, consumers: [], keptData: [] }).services.known()).toEqual(['late']);
});
