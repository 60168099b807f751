import { expect, it } from 'vitest';
import { ModuleList } from '../../src/app/module.js';

const module = (name: string, services: Record<string, number>) => ({ name, compose: () => ({ services }) });

it('gives a module the services of those before it', () => {
  const second = {
    name: 'second',
    compose: ({ base, first }: { base: number; first: number }) => ({ services: { sum: base + first } }),
  };
  const list = ModuleList.on<{ base: number }>()
    .add({ name: 'first', compose: () => ({ services: { first: 2 } }) })
    .add(second);
  expect(list.compose({ base: 1 }).services).toEqual({ base: 1, first: 2, sum: 3 });
});

it('refuses two modules that offer a service of one name', () => {
  const list = ModuleList.on<{ base: number }>();
  const twice = list.add(module('a', { rows: 1 })).add(module('b', { rows: 2 }));
  expect(() => twice.compose({ base: 1 })).toThrow('Two modules offer the service rows.');
  expect(() => list.add(module('a', { base: 2 })).compose({ base: 1 })).toThrow('the service base');
});
