import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { pageOf } from '../../graphql/page.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { TENANT_EVENT_FAULTS, type TenantEventFault } from '../../tenancy/directory/tenant-event.entity.js';

const TenantEventFaultEnum = enumFromValues(
  'TenantEventFault',
  TENANT_EVENT_FAULTS,
  'Why an event of the tenant directory was given up.',
  {
    EVENT_MALFORMED: 'It is not what the directory has to send; `message` says why.',
    EVENT_NOT_APPLIED: 'It failed at every attempt, though the database answered; the log has the reason.',
  },
);

@ObjectType('TenantEventLetter', { description: 'An event of the tenant directory that was given up.' })
export class TenantEventLetterType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Its text, as it came.' })
  event!: string;

  @Field(() => TenantEventFaultEnum)
  fault!: TenantEventFault;

  @Field(() => String, { description: 'What is wrong with it.' })
  message!: string;

  @Field(() => Int, { description: 'How often it was tried.' })
  attempts!: number;

  @Field(() => InstantScalar, { description: 'When it failed last.' })
  since!: Date;
}

export const TenantEventLetterPageType = pageOf(TenantEventLetterType, 'TenantEventLetterPage');
