import { SimpleGrid } from '@mantine/core';
import type { ReactNode } from 'react';
import { countText } from '../../kit/format';
import { TimeCell } from '../../kit/cells';
import { TextLink } from '../../kit/text-link';
import { Tile } from '../../kit/tile';
import type { OverviewTotalsQuery } from './overview.gql';
import type { LiveRate } from './use-live-rate';

export type Overview = OverviewTotalsQuery['overview'];

interface TotalsProps {
  readonly overview: Overview;
  readonly live: LiveRate;
}

export function Totals({ overview, live: { settled } }: TotalsProps) {
  const { redemptions, codes, activeCampaigns, overdueClaims, deadLetters, haltedAccounts } = overview;
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 4, lg: 7 }} spacing="sm">
      <Figure
        label="Redemptions"
        value={redemptions?.committed}
        hint={
          settled.committed > 0
            ? `+${countText(settled.committed)} since you came`
            : `${countText(redemptions?.reversed ?? 0)} reversed`
        }
      />
      <Figure label="Codes" value={codes} hint="not deleted" />
      <Figure label="Active campaigns" value={activeCampaigns} />
      <Figure label="Overdue claims" value={overdueClaims} isAlarm hint="aborted within seconds" />
      <Figure
        label="Dead letters"
        value={deadLetters}
        isAlarm
        hint={
          <TextLink to="/dead-letters" size="xs">
            look at them
          </TextLink>
        }
      />
      <Figure label="Halted accounts" value={haltedAccounts} isAlarm hint="wait for a release" />
      <Verdict reconciliation={overview.reconciliation} />
    </SimpleGrid>
  );
}

interface FigureProps {
  readonly label: string;
  /** Null while its store does not answer. */
  readonly value: number | null | undefined;
  readonly hint?: ReactNode;
  /** Whether any number but 0 needs somebody's attention. */
  readonly isAlarm?: boolean;
}

function Figure({ label, value, hint, isAlarm = false }: FigureProps) {
  const isKnown = value !== null && value !== undefined;
  const tone = !isKnown || (isAlarm && value > 0) ? 'bad' : undefined;
  const says = !isKnown ? 'its store does not answer' : isAlarm && value === 0 ? 'nothing to do' : hint;
  return (
    <Tile label={label} tone={tone} hint={says}>
      {isKnown ? countText(value) : 'not known'}
    </Tile>
  );
}

function Verdict({ reconciliation }: Pick<Overview, 'reconciliation'>) {
  if (reconciliation === null)
    return (
      <Tile label="Reconciliation" hint="no report yet">
        –
      </Tile>
    );
  const { verdict, drifts, finishedAt } = reconciliation;
  return (
    <Tile
      label="Reconciliation"
      tone={verdict === 'CLEAN' ? 'good' : 'bad'}
      hint={
        <>
          {drifts > 0 && `${countText(drifts)} drifts, `}
          <TextLink to="/reconciliation" size="xs">
            checked <TimeCell value={finishedAt} precision="SECOND" />
          </TextLink>
        </>
      }
    >
      {verdict}
    </Tile>
  );
}
