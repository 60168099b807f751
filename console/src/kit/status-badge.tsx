import classes from './cells.module.css';

export type Tone = 'good' | 'wait' | 'warn' | 'bad' | 'idle';

/** What the statuses of all features mean to a reader; one that is missing here is shown in grey. */
const TONES: Readonly<Record<string, Tone>> = {
  ...tone(
    'good',
    'ACTIVE',
    'AVAILABLE',
    'COMMITTED',
    'READY',
    'PAID',
    'FINISHED',
    'CLEAN',
    'DELIVERED',
    'ENABLED',
    'BOUND',
    'GRANTED',
    'DONE',
    'OPEN',
  ),
  ...tone(
    'wait',
    'PENDING',
    'PROCESSING',
    'GENERATING',
    'INVITED',
    'RUNNING',
    'SCHEDULED',
    'ALLOCATED',
    'UNPAID',
    'AWAITS_SALE',
    'WAITING',
  ),
  ...tone(
    'warn',
    'PAUSED',
    'FROZEN',
    'REVERSED',
    'REFUNDED',
    'EXPIRED',
    'HALTED',
    'HELD',
    'RETRYING',
    'PARTLY_REFUNDED',
  ),
  ...tone(
    'bad',
    'FAILED',
    'REFUSED',
    'DISABLED',
    'CANCELLED',
    'VOID',
    'VOIDED',
    'DISABLED_BY_FAILURES',
    'REVOKED',
    'DRIFT',
    'DEAD',
  ),
};

function tone(value: Tone, ...statuses: readonly string[]): Record<string, Tone> {
  return Object.fromEntries(statuses.map((status) => [status, value]));
}

/** A status in the server's own word, so that screens, documents and logs say the same. */
export function StatusBadge({ value, tone: given }: { readonly value: string; readonly tone?: Tone }) {
  return (
    <span className={classes['badge']} data-tone={given ?? TONES[value] ?? 'idle'}>
      {value.replaceAll('_', ' ')}
    </span>
  );
}
