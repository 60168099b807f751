import { describe, expect, it } from 'vitest';
import { opensNode } from '../../src/subscriptions/nodes/plan-openings.js';

const nodes = [
  { id: '1', tags: ['eu', 'fast'] },
  { id: '2', tags: ['us'] },
  { id: '3', tags: [] },
];
const opened = (nodeIds: string[], nodeTags: string[]): string[] =>
  nodes.filter((node) => opensNode({ nodeIds, nodeTags }, node)).map(({ id }) => id);

describe('S1.14 a plan opens', () => {
  it.each([
    ['the nodes that it names', ['3', '1'], [], ['1', '3']],
    ['the nodes with one of its tags', [], ['us', 'eu'], ['1', '2']],
    ['both, each once', ['1', '3'], ['eu', 'fast'], ['1', '3']],
    ['all where it says neither', [], [], ['1', '2', '3']],
    ['none where what it names is not there', ['9'], [], []],
    ['none where no node has its tag', [], ['asia'], []],
    ['nothing by a tag in other letters', [], ['EU'], []],
  ])('%s', (_title, nodeIds, nodeTags, expected) => {
    expect(opened(nodeIds, nodeTags)).toEqual(expected);
  });
});
