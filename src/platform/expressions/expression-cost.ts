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
      case 'list': {
        const items = node.args.map((item) => this.sizeOf(item, scope, depth));
        return { ...sumOf(items), items: items.length, length: Math.max(0, ...items.map((i) => i.length)) };
      }
      case 'map':
      case '.?':
      case '[?]':
        return refuse('EXPRESSION_FUNCTION_UNKNOWN', 'Maps cannot be written here.', node);
      case '!_':
      case '-_':
        return sumOf([this.sizeOf(node.args, scope, depth)]);
      default:
        return this.operatorSize(node.op, node.args, scope, depth);
    }
  }

  private operatorSize(operator: string, operands: readonly ASTNode[], scope: Scope, depth: number): Size {
    const sizes = operands.map((operand) => this.sizeOf(operand, scope, depth));
    return sizeOfOperation(sizes, operator === '?:' || operator === '+');
  }

  private nameSize(node: TextRange, name: string, scope: Scope): Size {
    const variable = scope.get(name);
    if (variable !== undefined) return { ...variable, steps: 1 };
    const fact = Object.hasOwn(this.facts, name) ? this.facts[name] : undefined;
    if (fact === undefined) {
      const names = Object.keys(this.facts).join(', ');
      return refuse('EXPRESSION_FACT_UNKNOWN', `There is no fact ${name}. There are ${names}.`, node);
    }
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
    const fact = of.op === 'id' && !scope.has(of.args) ? this.facts[of.args] : undefined;
    const size = this.sizeOf(of, scope, depth);
    if (of.op === 'id' && fact?.type.startsWith('map') === true) {
      const name = typeof key === 'string' ? key : key.op === 'value' ? key.args : null;
      if (typeof name !== 'string')
        return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', `${of.args}[…] takes one text in quotes.`, node);
      this.keys.set(of.args, (this.keys.get(of.args) ?? new Set()).add(name));
      return { ...SMALL, steps: size.steps + 1 };
    }
    const at = typeof key === 'string' ? SMALL_STEP : this.sizeOf(key, scope, depth);
    return { steps: size.steps + at.steps + 1, items: 0, length: size.length };
  }
}

const SMALL_STEP: Size = { ...SMALL, steps: 1 };

function functionUnknown(name: string, node: TextRange): never {
  const names = [...FUNCTIONS, ...Object.keys(LITERAL_FUNCTIONS), ...METHODS, ...MACROS].join(', ');
  return refuse('EXPRESSION_FUNCTION_UNKNOWN', `There is no function ${name}. There are ${names}.`, node);
}

function valueSize(value: unknown, node: TextRange): Size {
  if (typeof value === 'bigint' && value > INT_MAX)
    return refuse('EXPRESSION_VALUE_NOT_POSSIBLE', `${value} is more than a whole number can be.`, node);
  return { steps: 1, items: 0, length: typeof value === 'string' ? value.length : 0 };
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
