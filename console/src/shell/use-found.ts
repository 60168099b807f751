import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { optionsOf } from '../api/queries';
import { JumpDocument, type JumpQuery } from './jump.gql';

const TYPING_MS = 250;
/** Less than the last four characters of a code fits half of all codes. */
const CODE_LENGTH_MIN = 4;

export interface Found {
  readonly id: string;
  readonly label: string;
  /** What it is, and a word on it. */
  readonly description: string;
  readonly open: () => void;
}

/** What has this id, number or code: everything is looked up by one request. */
export function useFound(typed: string): { readonly found: readonly Found[]; readonly isSearching: boolean } {
  const navigate = useNavigate();
  const [text] = useDebouncedValue(typed.trim(), TYPING_MS);
  const isId = /^[1-9]\d{5,18}$/.test(text);
  const isCode = text.length >= CODE_LENGTH_MIN;
  const variables = { text, id: isId ? text : '0', isId, isCode };
  const { data, isFetching, isPlaceholderData } = useQuery({
    ...optionsOf(JumpDocument, variables),
    enabled: text !== '',
  });
  const isOld = isPlaceholderData || text !== typed.trim();
  const found = data === undefined || isOld || text === '' ? [] : foundIn(data, navigate);
  return { found, isSearching: isFetching || isOld };
}

function foundIn(data: JumpQuery, navigate: ReturnType<typeof useNavigate>): Found[] {
  const { user, userById, codes, code, campaign, batch, redemption, order, plan, partner } = data;
  const { couponTemplate } = data;
  const found: Found[] = [];
  const add = (id: string, label: string, description: string, open: () => Promise<void>): void => {
    if (found.every((each) => each.id !== id))
      found.push({ id, label, description, open: () => void open() });
  };
  for (const each of [code, ...(codes?.items ?? [])])
    if (each)
      add(
        `code-${each.id}`,
        each.code ?? `…${each.lastFour}`,
        `Code of ${each.campaignName ?? 'a campaign'}, ${each.effectiveStatus}`,
        async () => navigate({ to: '/codes/$id', params: { id: each.id } }),
      );
  for (const each of [user, userById])
    if (each)
      add(`user-${each.id}`, each.externalId, `User ${each.id}`, async () =>
        navigate({ to: '/users/$id', params: { id: each.id } }),
      );
  if (redemption)
    add(`redemption-${redemption.id}`, redemption.id, `Redemption, ${redemption.status}`, async () =>
      navigate({ to: '/redemptions/$id', params: { id: redemption.id } }),
    );
  if (order)
    add(`order-${order.orderNo}`, order.orderNo, `Order, ${order.status}`, async () =>
      navigate({ to: '/orders/$orderNo', params: { orderNo: order.orderNo } }),
    );
  if (batch)
    add(`batch-${batch.id}`, batch.id, `Batch of ${batch.campaignName ?? 'a campaign'}`, async () =>
      navigate({ to: '/batches/$id', params: { id: batch.id } }),
    );
  const named = [
    ['Campaign', '/campaigns/$id', campaign],
    ['Plan', '/plans/$id', plan],
    ['Partner', '/partners/$id', partner],
    ['Coupon template', '/coupon-templates/$id', couponTemplate],
  ] as const;
  for (const [kind, to, row] of named)
    if (row)
      add(`${kind}-${row.id}`, row.name, `${kind} ${row.id}`, async () =>
        navigate({ to, params: { id: row.id } }),
      );
  return found;
}
