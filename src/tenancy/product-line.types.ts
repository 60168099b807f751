import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import { PRODUCT_LINE_STATUSES, type ProductLineStatus } from './product-line.entity.js';
import { CREATE_PRODUCT_LINE_REFUSALS, UPDATE_PRODUCT_LINE_REFUSALS } from './product-line.service.js';

const ProductLineStatusEnum = enumFromValues(
  'ProductLineStatus',
  PRODUCT_LINE_STATUSES,
  'Nothing can be redeemed through a DISABLED product line.',
);

@ObjectType('ProductLine', { description: 'An app or a site of a tenant.' })
export class ProductLineType {
  @Field(() => String, { description: 'The value of the header x-product-code.' })
  code!: string;

  @Field(() => String)
  name!: string;

  @Field(() => ProductLineStatusEnum)
  status!: ProductLineStatus;

  @Field(() => Int, {
    nullable: true,
    description: "Attempts admitted in any rolling hour; 0 means unlimited, null the installation's default.",
  })
  hourLimit?: number | null | undefined;

  @Field(() => Int, {
    nullable: true,
    description: "Attempts admitted in any rolling day; 0 means unlimited, null the installation's default.",
  })
  dayLimit?: number | null | undefined;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType()
export class CreateProductLineInput {
  @Field(() => String, {
    description: '2 to 16 capitals and digits, in groups joined by single underscores.',
  })
  code!: string;

  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => Int, nullable("0 means unlimited; missing means the installation's default."))
  hourLimit?: number | null;

  @Field(() => Int, nullable("0 means unlimited; missing means the installation's default."))
  dayLimit?: number | null;
}

@InputType()
export class UpdateProductLineInput {
  @Field(() => String, { description: 'Names the product line; it never changes.' })
  code!: string;

  @Field(() => String, nullable('1 to 64 characters. If missing, it stays.'))
  name?: string | null;

  @Field(() => Int, nullable("0 means unlimited, null the installation's default; if missing, it stays."))
  hourLimit?: number | null;

  @Field(() => Int, nullable("0 means unlimited, null the installation's default; if missing, it stays."))
  dayLimit?: number | null;

  @Field(() => ProductLineStatusEnum, nullable('If missing, it stays.'))
  status?: ProductLineStatus | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

export const CreateProductLinePayloadType = payloadType('CreateProductLine', CREATE_PRODUCT_LINE_REFUSALS, {
  productLine: { type: () => ProductLineType },
});

export const UpdateProductLinePayloadType = payloadType('UpdateProductLine', UPDATE_PRODUCT_LINE_REFUSALS, {
  productLine: { type: () => ProductLineType },
});
