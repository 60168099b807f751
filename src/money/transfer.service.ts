import { Money } from '../platform/decimal.js';
import { isId, type Id } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { isSet, present } from '../platform/assert.js';
import { refuseBalance, refuseHalted, type LedgerService } from './ledger.service.js';
import type { LedgerSession } from './ledger-session.js';
import { transferInput } from './money-input.js';
import { readTerms, type CurrencyTerms } from './money-terms.js';
import { dayOf, limitReached, lockDay, type DayUse } from './transfer-day.js';
import { refusal, refusalByTerms, sharesOf, type WantedTransfer } from './transfer-rules.js';
import { findTransfers, type TransferFilter } from './transfer-list.js';
import { writeTransfer } from './transfer-rows.js';
import { Transfer } from './transfer.entity.js';

const INPUT_REFUSALS = {
  orderId: 'ORDER_ID_MALFORMED',
  amount: 'AMOUNT_MALFORMED',
  input: 'AMOUNT_MALFORMED',
} as const;

interface Collaborators extends Pick<
  PlatformServices,
  'readOrm' | 'ids' | 'clock' | 'transactions' | 'outbox'
> {
  readonly ledger: LedgerService;
  /** Days of the daily limits begin at its midnight. */
  readonly timeZone: string;
}

/** Moves money from one user to another. */
export class TransferService {
  constructor(private readonly its: Collaborators) {}

  /**
   * As a transaction of its own (without an entity manager) or as a savepoint of the caller's. Repeated with the same
   * order id and arguments, it answers the first result.
   *
   * @throws DomainError one of `TRANSFER_REFUSALS`
   */
  async transfer(em: Em | null, tenantId: string, fromUserId: Id, input: unknown): Promise<Transfer> {
    const wanted = { ...parseInput(transferInput, input, INPUT_REFUSALS), fromUserId };
    return this.its.transactions.composed(em, tenantId, async (part) => this.move(part, tenantId, wanted));
  }

  async list(tenantId: string, filter: TransferFilter, range: PageRange): Promise<Page<Transfer>> {
    if ([filter.userId, filter.facilityId].some((id) => isSet(id) && !isId(id))) return EMPTY_PAGE;
    return findTransfers(tenantEm(this.its.readOrm, tenantId), tenantId, filter, range);
  }

  /**
   * The accounts are locked before the order id is looked up: of two equal calls at once, the second waits, and finds
   * what the first has done. Two that differ may lock different accounts; then the unique key lets one of them through.
   */
  private async move(em: Em, tenantId: string, wanted: WantedTransfer): Promise<Transfer> {
    const { sender, recipient } = sidesOf(wanted);
    // Locked, because a user whose last device is unbound meanwhile is disabled, and could never use the money.
    const terms = await readTerms(em, tenantId, [sender, recipient], 'SHARED');
    const refused = refusalByTerms(terms, wanted);
    const session = refused === null ? await this.its.ledger.open(em, tenantId, [sender, recipient]) : null;
    const { fromUserId, orderId } = wanted;
    const earlier = await em.findOne(Transfer, { fromUserId, orderId }, { disableIdentityMap: true });
    if (earlier !== null) return sameTransfer(earlier, wanted);
    if (refused !== null) throw refused;
    const nowMs = this.its.clock.nowMs();
    const today = dayOf(nowMs, this.its.timeZone);
    const use = await lockDay(em, tenantId, fromUserId, wanted.currency, today);
    const currency = present(terms.currencies.get(wanted.currency), 'The currency of a transfer');
    const locked = present(session, 'The accounts of a transfer');
    return this.write(em, tenantId, { wanted, currency, session: locked, use, createdAt: new Date(nowMs) });
  }

  private async write(
    em: Em,
    tenantId: string,
    { wanted, currency, session, use, createdAt }: LockedTransfer,
  ): Promise<Transfer> {
    const { sender, recipient } = sidesOf(wanted);
    const amount = new Money(wanted.amount);
    const { fee, net } = sharesOf(amount, currency);
    refuseLimits(currency, use, amount);
    if (net.lessThanOrEqualTo(0))
      throw refusal('NET_NOT_POSITIVE', 'The fee would take the whole amount.', 'amount');
    refuseHalted(session.account(sender));
    refuseHalted(session.account(recipient), 'toUserId');
    refuseBalance(session.account(sender), amount.negated());
    refuseBalance(session.account(recipient), net);
    const { day } = use;
    const amounts = { amount: amount.toFixed(), fee: fee.toFixed(), net: net.toFixed() };
    const transfer: Transfer = { ...wanted, ...amounts, tenantId, id: this.its.ids.next(), day, createdAt };
    // Senders choose their order ids, and two may choose the same: entries bear the transfer's id, which is unique.
    const orderId = transfer.id;
    session.move(sender, { type: 'TRANSFER_OUT', orderId, amount: amount.negated() });
    session.move(recipient, { type: 'TRANSFER_IN', orderId, amount: net });
    if (!fee.isZero())
      session.moveSystem({
        ...recipient,
        id: transfer.id,
        purpose: 'FEE',
        type: 'FEE',
        orderId,
        amount: fee,
      });
    const counted = { day, count: use.count + 1, sum: use.sum.plus(amount) };
    await Promise.all([session.flush(), writeTransfer(em, transfer, counted)]);
    this.its.outbox.append(em, tenantId, [transferMade(transfer)]);
    return transfer;
  }
}

interface LockedTransfer {
  readonly wanted: WantedTransfer;
  readonly currency: CurrencyTerms;
  readonly session: LedgerSession;
  readonly use: DayUse;
  readonly createdAt: Date;
}

function sidesOf({ fromUserId, toUserId, facilityId, currency }: WantedTransfer) {
  return {
    sender: { userId: fromUserId, facilityId, currency },
    recipient: { userId: toUserId, facilityId, currency },
  };
}

function sameTransfer(earlier: Transfer, wanted: WantedTransfer): Transfer {
  const isSame =
    earlier.toUserId === wanted.toUserId &&
    earlier.facilityId === wanted.facilityId &&
    earlier.currency === wanted.currency &&
    new Money(earlier.amount).equals(wanted.amount);
  if (isSame) return earlier;
  throw refusal('ORDER_ID_REUSED', 'You have made another transfer with this order id.', 'orderId');
}

function refuseLimits(currency: CurrencyTerms, use: DayUse, amount: Money): void {
  const reached = limitReached(currency, use, amount);
  if (reached === null) return;
  const { code, dailyCountMax, dailySumMax } = currency;
  const message =
    reached === 'DAILY_COUNT_EXCEEDED'
      ? `You can make ${dailyCountMax} transfers of ${code} a day.`
      : `You can transfer ${new Money(dailySumMax ?? 0).toFixed()} ${code} a day, and ${use.sum.toFixed()} ${code} are transferred.`;
  throw refusal(reached, message, 'amount');
}

/** For the sender's devices, and for external accounting. */
function transferMade({ id, fromUserId, toUserId, facilityId, currency, ...transfer }: Transfer) {
  const { orderId, amount, fee, net, day } = transfer;
  const sides = { fromUserId, toUserId, facilityId, currency };
  const payload = { transferId: id, orderId, ...sides, amount, fee, net, day };
  return { type: 'transfer_made', userId: fromUserId, subjectId: id, payload };
}
