import { localImportsOf } from './code.js';
import { isSource, perFile, type ProjectFile, type Rule } from './rule.js';

/** Which features a feature may use besides {@link COMMON_FEATURES}. */
const FEATURE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  redemption: ['codes', 'limits', 'subscriptions', 'orders', 'money', 'campaigns'],
  codes: ['campaigns'],
  orders: ['money', 'subscriptions'],
};

/** Features that all others may use; each may use only those before it, so that the arrows never turn back. */
const COMMON_FEATURES = ['rewards', 'tenancy', 'identity'];

/** Words that features share, with nothing behind them. */
const VOCABULARY = /^src\/(?:rewards\/.*|identity\/actor\.ts|campaigns\/campaign-rule\.ts)$/;
const OPEN_TO_FEATURES = /\.(?:service|entity)\.ts$/;
const OPEN_TO_GRAPHQL = /^src\/(?:graphql\/.*|.*\.(?:resolver|types)\.ts|[^/]+\.ts)$/;

type Layer = 'entry' | 'config' | 'platform' | 'graphql' | 'feature';

function layerOf(file: string): Layer {
  if (file === 'src/config.ts') return 'config';
  if (/^src\/(?:[^/]+\.ts|(?:migrations|cli)\/.*)$/.test(file)) return 'entry';
  if (file.startsWith('src/platform/')) return 'platform';
  return file.startsWith('src/graphql/') ? 'graphql' : 'feature';
}

const featureOf = (file: string): string => file.split('/')[1] ?? '';

function mayUse(user: string, used: string): boolean {
  const rank = COMMON_FEATURES.indexOf(user);
  if (rank >= 0) return COMMON_FEATURES.slice(0, rank).includes(used);
  return COMMON_FEATURES.includes(used) || (FEATURE_ARROWS[user] ?? []).includes(used);
}

/** Why the import is against the arrows, or null. */
function objection(from: string, to: string): string | null {
  if (!to.startsWith('src/')) return 'src imports nothing outside src';
  if (to.startsWith('src/cli/') && !/^src\/cli[./]/.test(from))
    return 'only the command line imports its parts';
  const [source, target] = [layerOf(from), layerOf(to)];
  if (target === 'config' || source === 'entry') return redemptionObjection(from, to);
  if (target === 'entry') return 'only entries import entries';
  if (target === 'platform') return null;
  if (source === 'platform' || source === 'config') return `${source} knows no feature and no transport`;
  if (target === 'graphql')
    return OPEN_TO_GRAPHQL.test(from) ? null : 'the domain does not know its transport';
  if (source === 'graphql')
    return VOCABULARY.test(to) || OPEN_TO_FEATURES.test(to) ? null : 'not open to others';
  return featureObjection(from, to);
}

function redemptionObjection(from: string, to: string): string | null {
  if (!to.startsWith('src/redemption/') || /^src\/(?:app(?:-\w+)?|schema|entities)\.ts$/.test(from))
    return null;
  return 'only app, schema and entities import the redemption';
}

function featureObjection(from: string, to: string): string | null {
  const [user, used] = [featureOf(from), featureOf(to)];
  if (user === used || VOCABULARY.test(to)) return null;
  if (!mayUse(user, used)) return `${user} may not use ${used}`;
  return OPEN_TO_FEATURES.test(to) ? null : 'across features only services and entities are imported';
}

const arrowFindings = (file: ProjectFile): readonly string[] =>
  localImportsOf(file).flatMap((target) => {
    const reason = objection(file.path, target);
    return reason === null ? [] : [`imports ${target}: ${reason}`];
  });

const imports = (target: string): string => `import { x } from '${target}';`;

export const arrows: Rule = {
  says: 'imports along the arrows: entries, app, features, platform',
  check: perFile(isSource, arrowFindings),
  broken: {
    'platform to a feature': { 'src/platform/a.ts': imports('../codes/code.entity.js') },
    'platform to the transport': { 'src/platform/a.ts': imports('../graphql/context.js') },
    'a feature to an entry': { 'src/codes/a.ts': imports('../app.js') },
    'codes to redemption': { 'src/codes/a.ts': imports('../redemption/redemption.entity.js') },
    'a type of another feature': { 'src/orders/a.ts': `import type { x } from '../money/money.types.js';` },
    'campaigns to codes': { 'src/campaigns/a.ts': imports('../codes/code.entity.js') },
    'tenancy to identity': { 'src/tenancy/a.ts': imports('../identity/user.entity.js') },
    'rewards to a feature': { 'src/rewards/a.ts': imports('../campaigns/campaign.entity.js') },
    'a service to the transport': { 'src/codes/codes.service.ts': imports('../graphql/payload.js') },
    'the command line to redemption': { 'src/cli.ts': imports('./redemption/sweeper.service.js') },
    'a part of the command line to redemption': {
      'src/cli/a.ts': imports('../redemption/sweeper.service.js'),
    },
    'a part of the command line in the server': { 'src/server.ts': imports('./cli/output.js') },
    'an import at run time': { 'src/codes/a.ts': `await import('../orders/order.entity.js');` },
    'the tests': { 'src/codes/a.ts': imports('../../test/support/harness.js') },
  },
  kept: {
    'src/app.ts': imports('./redemption/redeem.service.js'),
    'src/app-parts.ts': imports('./redemption/redeem.service.js'),
    'src/redemption/redeem.service.ts': `${imports('../codes/code.entity.js')}\n${imports('../rewards/reward-handler.js')}`,
    'src/codes/codes.service.ts': `// ${imports('../orders/order.entity.js')}\n${imports('../config.js')}`,
    'src/codes/code.resolver.ts': imports('../graphql/payload.js'),
    'src/graphql/context.ts': imports('../identity/actor.js'),
    'src/cli.ts': imports('./cli/program.js'),
    'src/cli/a.ts': `${imports('./output.js')}\n${imports('../app.js')}\n${imports('../codes/code-format.js')}`,
    'src/identity/users.service.ts': imports('../tenancy/tenant.entity.js'),
  },
};
