import { existsSync } from 'node:fs';

/** Only a checkout has it; the image has the compiled program alone. */
const IN_CHECKOUT = new URL('../../tsconfig.json', import.meta.url);

/** How people call the command line here: the image has `redeemkit` among its programs, a checkout reaches it by npx. */
export const OWN_COMMAND = existsSync(IN_CHECKOUT) ? 'npx redeemkit' : 'redeemkit';
