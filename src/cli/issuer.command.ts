import { issuerNotFound } from '../identity/issuers/issuer.service.js';
import type { UserTokenIssuer } from '../identity/issuers/user-token-issuer.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, expectOption, yesOrNo } from './arguments.js';
import { printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<UserTokenIssuer>(
  'issuer',
  'audience',
  'jwksUrl',
  'tagsClaim',
  'enabled',
  'version',
  'createdAt',
);

const SET =
  'issuer set --tenant CH_123 --issuer https://login.example.com --audience redeemkit --jwks https://login.example.com/jwks';

const shown = (command: Bare) => ofTenant(command).option('--json', 'print JSON');

export function addIssuerCommands(program: Bare): void {
  const group = program
    .command('issuer')
    .description("The server of a tenant's own that signs its users in.")
    .addHelpText('after', example(SET));
  addAction(group, {
    name: 'show',
    description: 'Print the issuer of a tenant.',
    example: 'issuer show --tenant CH_123',
    options: shown,
    run: async ({ issuers }, { tenant }) => {
      const issuer = await issuers.find(tenant);
      if (issuer === null) throw issuerNotFound();
      return issuer;
    },
    print: printRow(COLUMNS),
  });
  addSet(group);
  addAction(group, {
    name: 'remove',
    description:
      'Remove the issuer of a tenant, and print its last state. Its tokens are refused within a second.',
    example: 'issuer remove --tenant CH_123',
    options: shown,
    run: async ({ issuers }, { tenant }) => issuers.remove(tenant),
    print: printRow(COLUMNS),
  });
}

function addSet(group: Bare): void {
  addAction(group, {
    name: 'set',
    description: 'Set the issuer of a tenant, in the place of the present one, and print it.',
    example: SET,
    options: (command) =>
      shown(command)
        .requiredOption('--issuer <name>', 'the claim iss of its tokens')
        .requiredOption('--audience <name>', 'the claim aud of its tokens')
        .requiredOption('--jwks <url>', 'where its public keys are, at a host of JWKS_HOSTS')
        .option('--tags-claim <name>', 'the claim that holds the tags of the user; without it tags stay')
        .option('--enabled <yes|no>', 'whether its tokens are taken; yes where it is left out', yesOrNo)
        .addOption(expectOption()),
    run: async (
      { issuers },
      { tenant, issuer, audience, jwks, tagsClaim, enabled, expect: expectedVersion },
    ) => issuers.set(tenant, { issuer, audience, jwksUrl: jwks, tagsClaim, enabled, expectedVersion }),
    print: printRow(COLUMNS),
  });
}
