import { countText, labelOf, zonedTimeText } from '../../kit/format';
import type { CampaignDetailFragment, CampaignRowFragment } from './campaigns.gql';

type Rule = CampaignRowFragment['rule'];
type Reward = CampaignDetailFragment['rule']['rewardRules'][number];

/** What a code looks like: SUM + 12 letters and digits. */
export function formatText({ codeType, prefix, pattern, length }: Rule): string {
  if (codeType === 'UUID') return 'UUID';
  if (codeType === 'PATTERN') return pattern ?? '';
  const random = `${length} ${codeType === 'RANDOM_NUM' ? 'digits' : 'letters and digits'}`;
  return prefix === '' ? random : `${prefix} + ${random}`;
}

export const usesText = (useLimit: number): string =>
  useLimit === 0 ? 'any number of uses' : useLimit === 1 ? '1 use' : `${countText(useLimit)} uses`;

export const limitText = (limit: number): string => (limit === 0 ? 'unlimited' : countText(limit));

/** 2 × subscription, points */
export function rewardsText({ rewardRules }: Rule): string {
  const counts = new Map<string, number>();
  for (const { type } of rewardRules) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .map(([type, count]) => (count === 1 ? labelOf(type) : `${count} × ${labelOf(type).toLowerCase()}`))
    .join(', ');
}

type Window = Pick<CampaignRowFragment, 'startsAt' | 'endsAt'>;

export function fromText({ startsAt, endsAt }: Window, zone: string): string {
  if (startsAt !== null) return `from ${zonedTimeText(startsAt, zone)}`;
  return endsAt === null ? 'always' : 'from the activation';
}

export const untilText = ({ endsAt }: Window, zone: string): string =>
  endsAt === null ? '' : `until ${zonedTimeText(endsAt, zone)}`;

/** How much one reward gives: 3 months, 50 points, 12.50 USD. */
export function amountText({ type, quantity, unit, amount, currency, validDays }: Reward): string {
  if (type === 'BALANCE') return `${amount ?? ''} ${currency ?? ''}`;
  if (type === 'COUPON') return quantity === 1 ? '1 coupon' : `${quantity} coupons`;
  if (type === 'SUBSCRIPTION')
    return `${countText(quantity)} × ${unit === null ? 'the unit of the plan' : labelOf(unit).toLowerCase()}`;
  const end = validDays === null ? '' : `, for ${countText(validDays)} days`;
  return `${amount ?? ''} points${end}`;
}
