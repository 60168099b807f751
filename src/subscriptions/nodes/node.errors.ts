import { VERSION_REFUSALS } from '../../platform/database/change-row.js';

const FIELD_ERROR_CODES = [
  'NODE_NAME_MALFORMED',
  'NODE_ADDRESS_MALFORMED',
  'NODE_TAGS_MALFORMED',
  'INPUT_NOT_ALLOWED',
] as const;

/** Why a node cannot be made, in order of precedence. */
export const CREATE_NODE_ERROR_CODES = [...FIELD_ERROR_CODES, 'NODE_LIMIT_REACHED'] as const;
/** Why a node is not changed, in order of precedence. */
export const UPDATE_NODE_ERROR_CODES = [...FIELD_ERROR_CODES, 'NODE_NOT_FOUND', ...VERSION_REFUSALS] as const;
/** Why a node is not deleted, and gets no token. */
export const KNOWN_NODE_ERROR_CODES = ['NODE_NOT_FOUND'] as const;
export type NodeErrorCode =
  | (typeof CREATE_NODE_ERROR_CODES)[number]
  | (typeof UPDATE_NODE_ERROR_CODES)[number];
