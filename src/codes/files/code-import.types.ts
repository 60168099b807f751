import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { listPageOf } from '../../graphql/page.js';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { IMPORT_CODES_REFUSALS, IMPORT_LINE_REFUSALS, type ImportLineRefusal } from './code-import.errors.js';

const ImportLineRefusalEnum = enumFromValues(
  'ImportLineRefusal',
  IMPORT_LINE_REFUSALS,
  'Why a line of a file was not taken.',
);

@ObjectType('CodeImport', {
  description:
    'Codes of another system from a CSV file. Send the file with PUT to /api/imports/<id>; GET /api/imports/<id>/refused.csv names the refused lines.',
})
export class CodeImportType {
  @Field(() => ID, { description: 'Also the id of its batch.' })
  id!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => GraphQLSafeInt, { description: 'The last line of the file that is done.' })
  linesDone!: number;

  @Field(() => GraphQLSafeInt, { description: 'Codes that were taken.' })
  imported!: number;

  @Field(() => GraphQLSafeInt, { description: 'Lines that were refused.' })
  refused!: number;

  @Field(
    () => String,
    nullable(
      'Why it has stopped, for example TENANT_QUOTA_EXCEEDED; RETRIES_EXHAUSTED is a fault of the server, whose log has it. The same importCodes lets it continue; after IMPORT_FILE_MISSING, send the file again.',
    ),
  )
  refusal?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar, nullable('When its codes could be redeemed; null while lines are missing.'))
  finishedAt?: Date | null | undefined;
}

@ObjectType('RefusedImportLine', {
  description: 'A line of a file that was not taken. Its text is not kept.',
})
class RefusedImportLineType {
  @Field(() => Int, { description: 'From 1, as editors count.' })
  line!: number;

  @Field(() => ImportLineRefusalEnum)
  reason!: ImportLineRefusal;
}

export const RefusedImportLinePageType = listPageOf(RefusedImportLineType, 'RefusedImportLinePage');

@InputType()
export class ImportCodesInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Names the file: a repeated key answers the same import. If missing, the header idempotency-key is used; one of them is required.',
  })
  idempotencyKey?: string | null;
}

export const ImportCodesPayloadType = payloadType('ImportCodes', IMPORT_CODES_REFUSALS, {
  codeImport: { type: () => CodeImportType },
});
