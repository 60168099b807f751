import 'reflect-metadata';
import { Arg, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';
import { requireUser } from '../../src/graphql/auth.js';
import { UNSHARED } from '../../src/graphql/field-marks.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { redeemRequest } from '../../src/redemption/redeem/redemption-payload.js';
import { RedeemCodeInput, RedeemCodePayload } from '../../src/redemption/redemption.types.js';
import { emptyPayload } from './empty-payload.js';

/**
 * What everything is measured by: the same operation as `redeemCode` in all that GraphQL, authentication and
 * transport do, with a payload of the same shape, but nothing is redeemed and no store is touched.
 */
export class EmptyMutationResolver {
  async emptyMutation(context: RequestContext, input: RedeemCodeInput) {
    const { userId, productCode } = redeemRequest(requireUser(context), context, input);
    return emptyPayload(userId, productCode);
  }
}

// Node runs this file with its types stripped and knows no decorators, so they are applied as the functions they are.
const { prototype } = EmptyMutationResolver;
Ctx()(prototype, 'emptyMutation', 0);
Arg('input', () => RedeemCodeInput)(prototype, 'emptyMutation', 1);
Mutation(() => RedeemCodePayload, { description: 'Does nothing, as redeemCode would.' })(
  prototype,
  'emptyMutation',
  {},
);
Extensions(UNSHARED)(prototype, 'emptyMutation', {});
Resolver()(EmptyMutationResolver);
