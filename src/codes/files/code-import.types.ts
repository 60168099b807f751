import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { IMPORT_CODES_REFUSALS } from './code-import.errors.js';

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
