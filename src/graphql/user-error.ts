import { Field, InterfaceType } from 'type-graphql';

/**
 * What every mutation's error has in common. Each mutation adds its own closed `code` enum, so that a client's
 * compiler can tell when a refusal is left unhandled.
 */
@InterfaceType('UserError', { description: 'The reason why a call was refused.' })
export abstract class UserErrorType {
  @Field(() => String, { description: 'A sentence for people; programs go by the code.' })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Path of the input field at fault, outermost first, e.g. ["input", "code"].',
  })
  field?: string[] | null;
}
