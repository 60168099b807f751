import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import {
  costOf,
  NodeRefused,
  type ExpressionCost,
  type ExpressionLimits,
  type Fact,
} from './expression-cost.js';
import { ExpressionFault, positionOf, type ExpressionRefusal, type TextRange } from './expression-fault.js';

export interface LanguageLimits extends ExpressionLimits {
  /** Of the text, in UTF-16 units. */
  readonly lengthMax: number;
  readonly nodesMax: number;
  /** Parentheses and calls within each other. */
  readonly depthMax: number;
}

/** An expression that was checked: what it reads, and whether it holds. */
export class Expression<Name extends string = string> {
  constructor(
    readonly text: string,
    private readonly parsed: ParseResult,
    private readonly cost: ExpressionCost,
  ) {}

  /** What must be known to evaluate it. */
  get facts(): ReadonlySet<Name> {
    return this.cost.facts as ReadonlySet<Name>;
  }

  /** The keys that it looks up in a fact that is a map. */
  keysOf(fact: Name): ReadonlySet<string> {
    return this.cost.keys.get(fact) ?? NO_KEYS;
  }

  /** What one evaluation takes at worst. */
  get steps(): number {
    return this.cost.steps;
  }

  /** Never throws: what cannot be evaluated, such as a division by zero, is answered as a fault. */
  holds(facts: Readonly<Partial<Record<Name, unknown>>>): boolean | ExpressionFault {
    try {
      return this.parsed(facts) === true;
    } catch (error) {
      return faultOf(this.text, 'EXPRESSION_FAILED', error);
    }
  }
}

const NO_KEYS: ReadonlySet<string> = new Set();

/**
 * The Common Expression Language over declared facts, for conditions that people write. What it accepts has the type
 * bool, reads nothing undeclared, and takes a bounded number of steps.
 */
export class ExpressionLanguage<Name extends string> {
  private readonly environment: Environment;

  constructor(
    readonly facts: Readonly<Record<Name, Fact>>,
    private readonly limits: LanguageLimits,
  ) {
    const { nodesMax: maxAstNodes, depthMax: maxDepth } = limits;
    const environment = new Environment({
      limits: { maxAstNodes, maxDepth, maxListElements: maxAstNodes, maxMapEntries: 0, maxCallArguments: 4 },
    });
    for (const [name, { type, description }] of Object.entries<Fact>(facts))
      environment.registerVariable(name, type, { description });
    this.environment = environment;
  }

  /** Never throws. */
  compile(text: string): Expression<Name> | ExpressionFault {
    const { lengthMax } = this.limits;
    if (text.length > lengthMax) {
      const message = `The expression has ${text.length} characters; at most ${lengthMax} are allowed.`;
      return new ExpressionFault('EXPRESSION_TOO_LONG', message, positionOf(text, rangeAt(lengthMax)));
    }
    try {
      const parsed = this.environment.parse(text);
      const cost = costOf(parsed.ast, this.facts, this.limits);
      const { valid, type = 'nothing', error } = parsed.check();
      if (!valid) return faultOf(text, 'EXPRESSION_TYPES_DIFFER', error);
      if (type === 'bool') return new Expression(text, parsed, cost);
      const message = `The expression is of type ${type}; it must be true or false.`;
      return new ExpressionFault('EXPRESSION_TYPES_DIFFER', message, positionOf(text, parsed.ast));
    } catch (error) {
      if (!(error instanceof NodeRefused)) return faultOf(text, 'EXPRESSION_MALFORMED', error);
      const { code, message, at } = error.fault;
      return new ExpressionFault(code, message, positionOf(text, at));
    }
  }
}

const rangeAt = (at: number): TextRange => ({ start: at, end: at });

/** What the library says of an error; others than its own are faults of the expression, too. */
function faultOf(
  text: string,
  code: ExpressionRefusal | 'EXPRESSION_FAILED',
  error: unknown,
): ExpressionFault {
  const {
    summary,
    range = rangeAt(0),
    code: kind,
  } = (error ?? {}) as {
    readonly summary?: string;
    readonly range?: TextRange;
    readonly code?: string;
  };
  const said = summary ?? 'It cannot be read';
  const message = `${said.charAt(0).toUpperCase()}${said.slice(1).replaceAll('\n', ' ')}.`;
  const isTooMuch = code === 'EXPRESSION_MALFORMED' && kind === 'limit_exceeded';
  return new ExpressionFault(isTooMuch ? 'EXPRESSION_TOO_COMPLEX' : code, message, positionOf(text, range));
}
