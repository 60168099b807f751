import type { ASTNode } from '@marcbachmann/cel-js';
import type { ExpressionRefusal, TextRange } from './expression-fault.js';

/** What an expression may read, and how large it may be. */
export interface Fact {
  readonly type:
    | 'bool'
    | 'int'
    | 'string'
    | 'list<string>'
    | 'map<string, int>'
    | 'google.protobuf.Timestamp';
  /** Items of a list. */
  readonly itemsMax?: number;
  /** Characters of a text, or of each item. */
  readonly lengthMax?: number;
  readonly description: string;
}

export interface ExpressionLimits {
  /** Macros within macros. */
  readonly macroDepthMax: number;
  /** Steps that one evaluation may take at worst: one for each node, item, and 16 characters that are looked at. */
  readonly stepsMax: number;
}

/** A part of an expression that is refused. */
export interface NodeFault {
  readonly code: ExpressionRefusal;
  readonly message: string;
  readonly at: TextRange;
}

/** What one evaluation of an expression comes to at worst, and what it reads. */
export interface ExpressionCost {
  readonly steps: number;
  readonly facts: ReadonlySet<string>;
  /** Of facts that are maps: the keys that are looked up. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A node's worst case: its steps, and how large its value may be. */
interface Size {
  readonly steps: number;
  readonly items: number;
  readonly length: number;
}

const CHARACTERS_A_STEP = 16;
/** Of an operation that may fail, for each item of a list: the library makes an error with a text each time. */
const FAILURE_STEPS = 32;
/** A division by zero, a number beyond 64 bits. */
const MAY_FAIL = new Set(['/', '%', '*', '+', '-', '-_']);
const SMALL = { items: 0, length: 0 };

/** All else of the library is refused: `matches` runs a backtracking RegExp, zones and conversions throw, `dyn` has no type. */
const MACROS = new Set(['all', 'exists', 'exists_one', 'filter']);
const METHODS = new Set(['contains', 'startsWith', 'endsWith', 'size', 'lowerAscii', 'upperAscii']);
const FUNCTIONS = new Set(['size']);
const LITERAL_FUNCTIONS: Readonly<Record<string, (text: string) => boolean>> = {
  timestamp: (text) => RFC_3339.test(text) && !Number.isNaN(Date.parse(text)),
  duration: (text) => DURATION.test(text),
};
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;
const DURATION = /^-?(?:\d{1,6}(?:h|m|s|ms))+$/;
const INT_MAX = 2n ** 63n - 1n;

/** Walks an expression that has been parsed, and is not checked yet. @throws NodeRefused */
export function costOf(
  ast: ASTNode,
  facts: Readonly<Record<string, Fact>>,
  limits: ExpressionLimits,
): ExpressionCost {
  const walk = new Walk(facts, limits);
  const { steps } = walk.sizeOf(ast, new Map(), 0);
  if (steps > limits.stepsMax) {
    const message = `The expression may take ${steps} steps for one user; at most ${limits.stepsMax} are allowed.`;
    refuse('EXPRESSION_TOO_COSTLY', message, ast);
  }
  return { steps, facts: walk.used, keys: walk.keys };
}

/** Carries a {@link NodeFault} out of the walk. */
export class NodeRefused extends Error {
  override readonly name = 'NodeRefused';

  constructor(readonly fault: NodeFault) {
    super(fault.message);
  }
}

function refuse(code: ExpressionRefusal, message: string, node: TextRange): never {
  throw new NodeRefused({ code, message, at: { start: node.start, end: node.end } });
}

type Scope = ReadonlyMap<string, Size>;

class Walk {
  readonly used = new Set<string>();
  readonly keys = new Map<string, Set<string>>();

  constructor(
    private readonly facts: Readonly<Record<string, Fact>>,
    private readonly limits: ExpressionLimits,
  ) {}

  sizeOf(node: ASTNode, scope: Scope, depth: number): Size {
    switch (node.op) {
      case 'value':
        return valueSize(node.args, node);
      case 'id':
        return this.nameSize(node, node.args, scope);
      case 'call':
        return this.callSize(node, node.args[0], node.args[1], scope, depth);
      case 'rcall':
        return this.methodSize(node, node.args, scope, depth);
      case '.':
      case '[]':
        return this.accessSize(node, scope, depth);
      case 'list':
        return this.listSize(node, scope, depth);
      case 'map':
      case '.?':
      case '[?]':
        return refuse('EXPRESSION_FUNCTION_UNKNOWN', 'Maps cannot be written here.', node);
      case '!_':
      case '-_':
        return withFailures(node.op, sumOf([this.sizeOf(node.args, scope, depth)]), depth);
      default:
        return this.operatorSize(node.op, node.args, scope, depth);
    }
  }

  private operatorSize(operator: string, operands: readonly ASTNode[], scope: Scope, depth: number): Size {
    const sizes = operands.map((operand) => this.sizeOf(operand, scope, depth));
    const isJoined = operator === '?:' || operator === '+';
    return withFailures(operator, sizeOfOperation(sizes, isJoined), depth);
  }

  /** Lists in lists are refused: how many items they have together would have to be known of each. */
  private listSize(node: ASTNode & { op: 'list' }, scope: Scope, depth: number): Size {
    const items = node.args.map((item) => this.sizeOf(item, scope, depth));
    const inner = node.args[items.findIndex((item) => item.items > 0)];
    if (inner !== undefined) return refuse('EXPRESSION_TOO_COMPLEX', 'A list must not hold lists.', inner);
    return { ...sumOf(items), items: items.length, length: Math.max(0, ...items.map((i) => i.length)) };
  }

  private nameSize(node: TextRange, name: string, scope: Scope): Size {
    const variable = scope.get(name);
    if (variable !== undefined) return { ...variable, steps: 1 };
    const fact = Object.hasOwn(this.facts, name) ? this.facts[name] : undefined;
    if (fact === undefined) {
      const names = Object.keys(this.facts).join(', ');
      return refuse('EXPRESSION_FACT_UNKNOWN', `There is no fact ${name}. There are ${names}.`, node);
    }
    // Only the keys that stand in the text are known beforehand.
    if (isMap(fact)) return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', keyWanted(name), node);
    this.used.add(name);
    return { steps: 1, items: fact.itemsMax ?? 0, length: fact.lengthMax ?? 0 };
  }

  private callSize(
    node: TextRange,
    name: string,
    args: readonly ASTNode[],
    scope: Scope,
    depth: number,
  ): Size {
    const takesText = Object.hasOwn(LITERAL_FUNCTIONS, name) ? LITERAL_FUNCTIONS[name] : undefined;
    if (takesText !== undefined) {
      const [text] = args;
      const isPossible = text?.op === 'value' && typeof text.args === 'string' && takesText(text.args);
      if (isPossible && args.length === 1) return { ...SMALL, steps: 2 };
      const like = name === 'timestamp' ? '"2026-12-24T18:00:00Z"' : '"36h"';
      const message = `${name}() takes one text in quotes such as ${like}.`;
      return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', message, text ?? node);
    }
    if (!FUNCTIONS.has(name)) return functionUnknown(name, node);
    return this.operatorSize(name, args, scope, depth);
  }

  private methodSize(
    node: TextRange,
    [name, receiver, args]: [string, ASTNode, ASTNode[]],
    scope: Scope,
    depth: number,
  ): Size {
    if (METHODS.has(name)) {
      const sizes = [receiver, ...args].map((operand) => this.sizeOf(operand, scope, depth));
      return sizeOfOperation(sizes, name.endsWith('Ascii'));
    }
    if (!MACROS.has(name)) return functionUnknown(name, node);
    if (depth === this.limits.macroDepthMax) {
      const message = `At most ${depth} of ${[...MACROS].join(', ')} may stand inside of each other.`;
      return refuse('EXPRESSION_TOO_COMPLEX', message, node);
    }
    const over = this.sizeOf(receiver, scope, depth);
    const [variable, body] = args;
    if (variable?.op !== 'id' || body === undefined || args.length !== 2)
      return refuse('EXPRESSION_MALFORMED', `${name}() takes a name and a condition.`, node);
    const inner = new Map([...scope, [variable.args, { ...over, items: 0 }]]);
    const { steps } = this.sizeOf(body, inner, depth + 1);
    const kept = name === 'filter' ? { items: over.items, length: over.length } : SMALL;
    return { ...kept, steps: 1 + over.steps + over.items * (steps + 2) };
  }

  /** An item of a list, or a value of a map by a key that stands in the text. */
  private accessSize(node: ASTNode & { op: '.' | '[]' }, scope: Scope, depth: number): Size {
    const [of, key] = node.args;
    if (of.op === 'id' && !scope.has(of.args)) {
      const fact = Object.hasOwn(this.facts, of.args) ? this.facts[of.args] : undefined;
      if (fact !== undefined && isMap(fact)) return this.valueOf(of.args, key, node);
    }
    const size = this.sizeOf(of, scope, depth);
    if (typeof key === 'string' || size.items === 0)
      return refuse('EXPRESSION_TYPES_DIFFER', 'Only lists have items, and only maps have fields.', node);
    const steps = size.steps + this.sizeOf(key, scope, depth).steps + 1;
    return { steps: steps + (depth > 0 ? FAILURE_STEPS : 0), items: 0, length: size.length };
  }

  private valueOf(name: string, key: ASTNode | string, node: TextRange): Size {
    const text = typeof key === 'string' ? key : key.op === 'value' ? key.args : null;
    if (typeof text !== 'string') return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', keyWanted(name), node);
    this.used.add(name);
    this.keys.set(name, (this.keys.get(name) ?? new Set()).add(text));
    return { ...SMALL, steps: 2 };
  }
}

const isMap = ({ type }: Fact): boolean => type.startsWith('map');

const keyWanted = (name: string): string => `${name}[…] takes one text in quotes.`;

function withFailures(operator: string, size: Size, depth: number): Size {
  const isRepeated = depth > 0 && MAY_FAIL.has(operator);
  return isRepeated ? { ...size, steps: size.steps + FAILURE_STEPS } : size;
}

function functionUnknown(name: string, node: TextRange): never {
  const names = [...FUNCTIONS, ...Object.keys(LITERAL_FUNCTIONS), ...METHODS, ...MACROS].join(', ');
  return refuse('EXPRESSION_FUNCTION_UNKNOWN', `There is no function ${name}. There are ${names}.`, node);
}

function valueSize(value: unknown, node: TextRange): Size {
  if (typeof value === 'bigint' && value > INT_MAX)
    return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', `${value} is more than a whole number can be.`, node);
  const isLong = typeof value === 'string' || value instanceof Uint8Array;
  return { steps: 1, items: 0, length: isLong ? value.length : 0 };
}

/** @param isJoined whether the value is as large as its operands together; else it is true, false or a number */
function sizeOfOperation(sizes: readonly Size[], isJoined: boolean): Size {
  const items = sizes.reduce((total, each) => total + each.items, 0);
  const length = sizes.reduce((total, each) => total + each.length, 0);
  const steps = sumOf(sizes).steps + scan(items, length);
  return isJoined ? { steps, items, length } : { ...SMALL, steps };
}

function sumOf(parts: readonly Size[]): Size {
  return { ...SMALL, steps: parts.reduce((sum, { steps }) => sum + steps, 1) };
}

/** Looking at every item, and at every character of each. */
function scan(items: number, length: number): number {
  return Math.max(1, items) * Math.ceil(length / CHARACTERS_A_STEP) + items;
}
