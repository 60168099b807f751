import { localImportsOf } from './code.js';
import { isSource, perFile, type ProjectFile, type Rule } from './rule.js';

/** Which features a feature may use besides {@link COMMON_FEATURES}. */
const FEATURE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  operations: ['reconciliation', 'codes', 'campaigns'],
  reconciliation: ['redemption', 'codes', 'campaigns', 'limits', 'subscriptions', 'orders', 'money', 'audit'],
  redemption: ['codes', 'limits', 'subscriptions', 'orders', 'money', 'campaigns'],
  codes: ['campaigns'],
  orders: ['money', 'subscriptions'],
};

/** Features that all others may use; each may use only those before it, so that the arrows never turn back. */
const COMMON_FEATURES = ['rewards', 'tenancy', 'identity'];

/** Words that features share, with nothing behind them. */
const VOCABULARY = /^src\/(?:rewards\/.*|graphql\/actor\.ts|campaigns\/campaign-rule\.ts)$/;
const OPEN_TO_FEATURES = /\.(?:service|entity|module)\.ts$/;
/** What compares Redis with rows reads both as the redemption writes them. */
const OPEN_TO_RECONCILIATION = /^src\/redemption\//;
const OPEN_TO_GRAPHQL = /\.(?:resolver|routes|types|module|permissions)\.ts$/;

/** The parts of the redemption, from the lowest to the highest: each imports only those before it. */
const REDEMPTION_PARTS = [
  'history',
  'reports',
  'claim',
  'commit',
  'recovery',
  'deferred',
  'redeem',
  'reversal',
];

/** From the lowest to the highest: each imports only what lies below it, features each other along their arrows. */
const LAYERS = [
  'platform',
  'config',
  'graphql',
  'feature',
  'transport',
  'migrations',
  'app',
  'entry',
] as const;
type Layer = (typeof LAYERS)[number];

function layerOf(file: string): Layer {
  const [, folder = ''] = file.split('/');
  if (file === 'src/config.ts') return 'config';
  if (folder.endsWith('.ts') || folder === 'cli') return 'entry';
  return LAYERS.find((layer) => layer === folder) ?? 'feature';
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
  if (LAYERS.indexOf(source) < LAYERS.indexOf(target))
    return `arrows point down, from ${target} to ${source}`;
  if (featureOf(to) === 'redemption' && !['app', 'reconciliation', 'redemption'].includes(featureOf(from)))
    return 'only app and reconciliation know the redemption';
  if (source === 'migrations') return target === 'feature' ? 'migrations outlive features' : null;
  if (source === 'feature') return featureObjection(from, to, target);
  if (source === 'transport' && target === 'feature')
    return OPEN_TO_FEATURES.test(to) ? null : 'of features the transport imports only services';
  return null;
}

function featureObjection(from: string, to: string, target: Layer): string | null {
  if (VOCABULARY.test(to)) return null;
  if (target === 'graphql') return OPEN_TO_GRAPHQL.test(from) ? null : 'the domain does not know GraphQL';
  if (target !== 'feature') return null;
  const [user, used] = [featureOf(from), featureOf(to)];
  if (user === used) return user === 'redemption' ? partObjection(from, to) : null;
  if (!mayUse(user, used)) return `${user} may not use ${used}`;
  if (user === 'reconciliation' && OPEN_TO_RECONCILIATION.test(to)) return null;
  return OPEN_TO_FEATURES.test(to) ? null : 'across features only services and entities are imported';
}

function partObjection(from: string, to: string): string | null {
  const [part, used] = [from, to].map((file) => REDEMPTION_PARTS.indexOf(file.split('/')[2] ?? '')) as [
    number,
    number,
  ];
  return part >= 0 && used > part ? `${REDEMPTION_PARTS[part]} may not use ${REDEMPTION_PARTS[used]}` : null;
}

const arrowFindings = (file: ProjectFile): readonly string[] =>
  localImportsOf(file).flatMap((target) => {
    const reason = objection(file.path, target);
    return reason === null ? [] : [`imports ${target}: ${reason}`];
  });

const imports = (target: string): string => `import { x } from '${target}';`;

export const arrows: Rule = {
  says: 'imports along the arrows: entries, app, transport, features, graphql, platform',
  check: perFile(isSource, arrowFindings),
  broken: {
    'platform to a feature': { 'src/platform/a.ts': imports('../codes/code.entity.js') },
    'platform to GraphQL': { 'src/platform/a.ts': imports('../graphql/context.js') },
    'GraphQL to a feature': { 'src/graphql/context.ts': imports('../identity/access.service.js') },
    'GraphQL to the transport': { 'src/graphql/a.ts': imports('../transport/server.js') },
    'a feature to an entry': { 'src/codes/a.ts': imports('../cli.js') },
    'a feature to the app': { 'src/codes/a.ts': imports('../app/modules.js') },
    'a feature to the transport': { 'src/codes/code.resolver.ts': imports('../transport/server.js') },
    'a migration to a feature': { 'src/migrations/a.ts': imports('../codes/code.entity.js') },
    'the transport to the redemption': {
      'src/transport/a.ts': imports('../redemption/redeem/redemption.service.js'),
    },
    'the transport into a feature': { 'src/transport/a.ts': imports('../identity/token-life.js') },
    'codes to redemption': { 'src/codes/a.ts': imports('../redemption/history/redemption.entity.js') },
    'a type of another feature': { 'src/orders/a.ts': `import type { x } from '../money/money.types.js';` },
    'a redemption to its reversal': { 'src/redemption/redeem/a.ts': imports('../reversal/a.js') },
    'a claim to its commit': { 'src/redemption/claim/a.ts': imports('../commit/group-commit.js') },
    'campaigns to codes': { 'src/campaigns/a.ts': imports('../codes/code.entity.js') },
    'tenancy to identity': { 'src/tenancy/a.ts': imports('../identity/users/user.entity.js') },
    'rewards to a feature': { 'src/rewards/a.ts': imports('../campaigns/campaign.entity.js') },
    'a service to GraphQL': { 'src/codes/codes.service.ts': imports('../graphql/payload.js') },
    'the command line to redemption': { 'src/cli.ts': imports('./redemption/recovery/claim-sweeper.js') },
    'a part of the command line in the server': { 'src/app/server.ts': imports('../cli/output.js') },
    'an import at run time': { 'src/codes/a.ts': `await import('../orders/orders/order.entity.js');` },
    'the tests': { 'src/codes/a.ts': imports('../../test/support/harness.js') },
  },
  kept: {
    'src/app/a.ts': `${imports('../redemption/redeem/redemption.service.js')}\n${imports('../migrations/migrate.js')}`,
    'src/redemption/redeem/redeem.service.ts': `${imports('../../codes/code.entity.js')}\n${imports('../../rewards/reward-handler.js')}`,
    'src/redemption/redeem/a.ts': `${imports('../deferred/a.js')}\n${imports('../redemption.errors.js')}`,
    'src/reconciliation/a.ts': imports('../redemption/claim/claim.js'),
    'src/codes/codes.service.ts': `// ${imports('../orders/orders/order.entity.js')}\n${imports('../config.js')}`,
    'src/codes/code.resolver.ts': imports('../graphql/payload.js'),
    'src/identity/access.service.ts': imports('../graphql/actor.js'),
    'src/transport/a.ts': imports('../identity/token.service.js'),
    'src/cli.ts': imports('./cli/program.js'),
    'src/cli/a.ts': `${imports('./output.js')}\n${imports('../app/open.js')}\n${imports('../codes/code-format.js')}`,
    'src/identity/users/users.service.ts': imports('../../tenancy/tenant.entity.js'),
  },
};
