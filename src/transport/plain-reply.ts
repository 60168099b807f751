import {
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type NamedTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { isProperty, SLICE_ROWS } from './fair-schema.js';

/** Reads the reply off what a resolver gave. @throws wherever that takes more than reading and serializing */
export type Read = (value: unknown) => unknown;

const NOT_PLAIN = new Error('graphql-js completes this value.');

/**
 * Plans replies that are read off without graphql-js, from documents that are valid. A plan is null where a selection
 * has a condition, an argument, a resolver of its own, an abstract type, or a fragment that the document spreads twice:
 * so no plan is larger than its text.
 */
export class PlainReplies {
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  private readonly spread = new Set<string>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
  ) {
    const own = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    this.fragments = Object.fromEntries(own.map((fragment) => [fragment.name.value, fragment]));
  }

  /** The fields selected of an object by the names that they have in the reply. */
  fieldsOf(
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
  ): ReadonlyMap<string, readonly FieldNode[]> | null {
    const fields = new Map<string, FieldNode[]>();
    const isPlain = sets.every((set) => this.collect(type, set, fields));
    // Assigned to an object, this name would not become a property.
    return isPlain && !fields.has('__proto__') ? fields : null;
  }

  readerOf(type: GraphQLOutputType, nodes: readonly FieldNode[]): Read | null {
    if (isNonNullType(type)) {
      const read = this.valueReaderOf(type.ofType, nodes);
      return read && ((value) => read(value ?? notPlain()));
    }
    const read = this.valueReaderOf(type, nodes);
    return read && ((value) => (value === null || value === undefined ? null : read(value)));
  }

  private valueReaderOf(type: GraphQLOutputType, nodes: readonly FieldNode[]): Read | null {
    if (isLeafType(type)) return (value) => type.serialize(requirePlain(value)) ?? notPlain();
    if (isListType(type)) {
      const read = this.readerOf(type.ofType, nodes);
      return read && ((value) => requireShortList(value).map((item) => read(item)));
    }
    return isObjectType(type) ? this.objectReaderOf(type, nodes) : null;
  }

  private objectReaderOf(type: GraphQLObjectType, nodes: readonly FieldNode[]): Read | null {
    if (type.isTypeOf) return null;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const fields = [...(this.fieldsOf(type, sets) ?? [])].map(([name, own]) =>
      this.propertyOf(type, name, own),
    );
    if (fields.length === 0 || !fields.every((field) => field !== null)) return null;
    return (value) => {
      const source = requirePlain(value) as Readonly<Record<string, unknown>>;
      const reply: Record<string, unknown> = {};
      for (const { name, key, read } of fields) reply[name] = read(source[key]);
      return reply;
    };
  }

  private propertyOf(type: GraphQLObjectType, name: string, nodes: readonly FieldNode[]) {
    const key = nodes[0]?.name.value ?? '';
    if (key === '__typename') return { name, key, read: () => type.name };
    const field = type.getFields()[key];
    const read = field && isProperty(field) ? this.readerOf(field.type, nodes) : null;
    return read && { name, key, read };
  }

  private collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    fields: Map<string, FieldNode[]>,
  ): boolean {
    return selections.every((selection) => {
      if (selection.directives?.length) return false;
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        fields.set(name, [...(fields.get(name) ?? []), selection]);
        return true;
      }
      const part =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragmentOnce(selection.name.value);
      if (part === null) return false;
      return !this.fits(type, part.typeCondition) || this.collect(type, part.selectionSet, fields);
    });
  }

  private fragmentOnce(name: string): FragmentDefinitionNode | null {
    if (this.spread.has(name)) return null;
    this.spread.add(name);
    return this.fragments[name] ?? null;
  }

  private fits(type: GraphQLObjectType, condition: NamedTypeNode | undefined): boolean {
    if (condition === undefined || condition.name.value === type.name) return true;
    const wanted = this.schema.getType(condition.name.value);
    return isAbstractType(wanted) && this.schema.isSubType(wanted, type);
  }
}

function notPlain(): never {
  throw NOT_PLAIN;
}

function requirePlain(value: unknown): unknown {
  if (typeof value === 'function' || value instanceof Error) return notPlain();
  return typeof value === 'object' && value !== null && 'then' in value ? notPlain() : value;
}

/** A long one is resolved in slices. */
function requireShortList(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length <= SLICE_ROWS ? value : notPlain();
}
