import { ExpressionLanguage } from '../platform/expressions/expression-language.js';

/** What conditions may read, in the order in which they are explained. */
export const CONDITION_FACTS = {
  userTags: {
    type: 'list<string>',
    itemsMax: 64,
    lengthMax: 128,
    description: 'The tags of the user.',
  },
  isNew: { type: 'bool', description: 'Whether the user has no paid purchase or renewal.' },
  productLine: {
    type: 'string',
    lengthMax: 16,
    description: 'Where the code is redeemed: `x-product-code`.',
  },
  deviceId: {
    type: 'string',
    lengthMax: 64,
    description: 'The device of the request: `x-device-id`; empty where it names none.',
  },
  campaignRedemptions: {
    type: 'int',
    description: 'Redemptions of the user in this campaign, before this one.',
  },
  tenantRedemptions: {
    type: 'int',
    description: 'Redemptions of the user in all campaigns, before this one.',
  },
  paidOrders: { type: 'int', description: 'Paid purchases and renewals of the user.' },
  spent: {
    type: 'map<string, int>',
    description:
      'What the user has paid in them by currency, in whole units: `spent["EUR"]`; 0 where nothing was paid.',
  },
  now: { type: 'google.protobuf.Timestamp', description: 'The instant of the redemption.' },
  date: { type: 'string', lengthMax: 10, description: "The day in the tenant's time zone, as `2026-12-24`." },
  year: { type: 'int', description: "The year in the tenant's time zone." },
  month: { type: 'int', description: 'The month, 1 to 12.' },
  day: { type: 'int', description: 'The day of the month, 1 to 31.' },
  weekday: { type: 'int', description: 'The day of the week, from 1 (Monday) to 7 (Sunday).' },
  hour: { type: 'int', description: 'The hour, 0 to 23.' },
  minute: { type: 'int', description: 'The minute, 0 to 59.' },
} as const;
export type ConditionFact = keyof typeof CONDITION_FACTS;

/** What is known of one user at one instant; facts that no condition reads are left out. */
export type ConditionFacts = Readonly<Partial<Record<ConditionFact, unknown>>>;

/** Conditions of campaigns and their rewards: CEL over {@link CONDITION_FACTS}. */
export const CONDITION_LANGUAGE = new ExpressionLanguage<ConditionFact>(CONDITION_FACTS, {
  lengthMax: 1000,
  nodesMax: 200,
  depthMax: 20,
  macroDepthMax: 2,
  stepsMax: 10_000,
});
