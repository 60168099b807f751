import { z } from 'zod';
import { expectedVersion, givenFields } from '../../platform/database/change-row.js';
import { nameText, orElse, parseInput, visibleText } from '../../platform/input.js';
import type { NodeErrorCode } from './node.errors.js';

const TAGS_MAX = 100;

/** In the order of precedence of the refusals. */
const fields = {
  name: nameText(64),
  address: visibleText(255),
  tags: z
    .array(nameText(32))
    .max(TAGS_MAX, `must hold at most ${TAGS_MAX}`)
    .transform((tags) => [...new Set(tags)].toSorted()),
  enabled: z.boolean(),
};

const createNodeInput = z.strictObject({
  name: fields.name,
  address: fields.address,
  tags: fields.tags.nullish().transform((tags) => tags ?? []),
  enabled: orElse(fields.enabled, true),
});

/** What is missing or null stays. */
const updateNodeInput = z.strictObject({ ...fields, expectedVersion }).partial();

const FIELD_REFUSALS = {
  name: 'NODE_NAME_MALFORMED',
  address: 'NODE_ADDRESS_MALFORMED',
  tags: 'NODE_TAGS_MALFORMED',
  input: 'INPUT_NOT_ALLOWED',
} as const satisfies Record<string, NodeErrorCode>;

/** @throws DomainError with a code of `CREATE_NODE_ERROR_CODES` */
export function checkNode(input: unknown): z.output<typeof createNodeInput> {
  return parseInput(createNodeInput, input, FIELD_REFUSALS);
}

/** @throws DomainError with a code of `UPDATE_NODE_ERROR_CODES` */
export function checkNodeChange(input: object): z.output<typeof updateNodeInput> {
  return parseInput(updateNodeInput, givenFields(input), FIELD_REFUSALS);
}
