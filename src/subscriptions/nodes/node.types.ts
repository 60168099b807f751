import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { PushedEvent } from '../../graphql/pushed-event.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { CREATE_NODE_ERROR_CODES, KNOWN_NODE_ERROR_CODES, UPDATE_NODE_ERROR_CODES } from './node.errors.js';

// Not plain Node, which clients take for the interface of refetchable objects.
@ObjectType('SubscriptionNode', { description: 'A server that the subscribers of plans may use.' })
export class SubscriptionNodeType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Where subscribers reach it: a host, or a URL.' })
  address!: string;

  @Field(() => [String], { description: 'Plans open it by these, or by its id.' })
  tags!: string[];

  @Field(() => Boolean, { description: 'If false, no subscriber sees it and it lets none in.' })
  enabled!: boolean;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const NodePageType = listPageOf(SubscriptionNodeType, 'SubscriptionNodePage');

@InputType()
export class NodeFilterInput {
  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null;
}

@InputType()
export class CreateNodeInput {
  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => String, { description: 'A host or a URL: 1 to 255 printable characters without spaces.' })
  address!: string;

  @Field(() => [String], nullable('At most 100, each of 1 to 32 characters.'))
  tags?: string[] | null;

  @Field(() => Boolean, nullable('Missing means true.'))
  enabled?: boolean | null;
}

@InputType({ description: 'Missing or null fields stay.' })
export class UpdateNodeInput {
  @Field(() => ID)
  nodeId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => String, nullable('1 to 255 printable characters without spaces.'))
  address?: string | null;

  @Field(() => [String], nullable('Replaces the present ones.'))
  tags?: string[] | null;

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class NodeIdInput {
  @Field(() => ID)
  nodeId!: string;
}

const node = { type: () => SubscriptionNodeType };
export const CreateNodePayloadType = payloadType('CreateNode', CREATE_NODE_ERROR_CODES, { node });
export const UpdateNodePayloadType = payloadType('UpdateNode', UPDATE_NODE_ERROR_CODES, { node });
export const DeleteNodePayloadType = payloadType('DeleteNode', KNOWN_NODE_ERROR_CODES, {
  nodeId: { type: () => ID },
});
export const CreateNodeTokenPayloadType = payloadType('CreateNodeToken', KNOWN_NODE_ERROR_CODES, {
  token: { type: () => String, description: 'For the header `authorization: Bearer …`.' },
  expiresAt: { type: () => InstantScalar },
});

@ObjectType({ description: 'The nodes that a subscription opens now.' })
export class SubscriptionNodes {
  @Field(() => ID)
  subscriptionId!: string;

  @Field(() => ID)
  planId!: string;

  @Field(() => [SubscriptionNodeType], {
    description: 'Each once; none where the subscription is expired, used up or stopped.',
  })
  nodes!: SubscriptionNodeType[];
}

@ObjectType('NodeUser', { description: 'A subscription that a node lets in.' })
export class NodeUserType {
  @Field(() => ID)
  subscriptionId!: string;

  @Field(() => ID)
  planId!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String, { description: 'The secret by which the node knows the user.' })
  uuid!: string;

  @Field(() => InstantScalar, nullable('The first instant after the end; null means no end.'))
  expiresAt?: Date | null;

  @Field(() => Int, { description: '0 means unlimited.' })
  deviceLimit!: number;

  @Field(() => GraphQLSafeInt, { description: 'Bytes; 0 means unlimited.' })
  trafficBytes!: number;

  @Field(() => GraphQLSafeInt)
  trafficUsedBytes!: number;
}

@ObjectType('NodeUsers', { description: 'A part of the subscriptions that a node lets in.' })
export class NodeUsersType {
  @Field(() => [NodeUserType])
  users!: NodeUserType[];

  @Field(() => String, nullable('For `after`, to get the next part; null at the end.'))
  next!: string | null;
}

@ObjectType({
  description:
    'A node was made, changed or deleted, or a plan opens other nodes now. Pushed after the commit; drop duplicates by eventId.',
})
export class NodesChangedEvent extends PushedEvent {
  @Field(() => ID, nullable('The node; null where a plan was changed.'))
  nodeId!: string | null;

  @Field(() => ID, nullable('The plan; null where a node was changed.'))
  planId!: string | null;
}
