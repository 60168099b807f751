import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import { messageIdOf } from './offered-events.js';
import type { WebhookReplayService } from './webhook-replay.service.js';
import type { WebhookSendService } from './webhook-sends.service.js';
import type { WebhookDelivery } from './webhook.entity.js';
import type { WebhookService } from './webhook.service.js';
import {
  CreateWebhookInput,
  CreateWebhookPayloadType,
  DeleteWebhookInput,
  DeleteWebhookPayloadType,
  ReplayWebhookInput,
  ReplayWebhookPayloadType,
  ResendWebhookDeliveryInput,
  ResendWebhookDeliveryPayloadType,
  SendTestEventInput,
  SendTestEventPayloadType,
  UpdateWebhookInput,
  UpdateWebhookPayloadType,
  WebhookDeliveryFilterInput,
  WebhookDeliveryPageType,
  WebhookDeliveryType,
  WebhookFilterInput,
  WebhookPageType,
  type WebhookType,
} from './webhook.types.js';

@Resolver()
export class WebhookResolver {
  constructor(
    private readonly service: WebhookService,
    private readonly replays: WebhookReplayService,
    private readonly sends: WebhookSendService,
  ) {}

  @Mutation(() => CreateWebhookPayloadType, {
    description: "Sends the tenant's events from now on to a URL, signed. For OWNER and OPERATOR.",
  })
  async createWebhook(
    @Arg('input', () => CreateWebhookInput) input: CreateWebhookInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.service.create(tenantId, { ...input }));
  }

  @Mutation(() => UpdateWebhookPayloadType, {
    description: 'Changes a webhook, enables or disables it, or rotates its secret. For OWNER and OPERATOR.',
  })
  async updateWebhook(
    @Arg('input', () => UpdateWebhookInput) { webhookId, ...changes }: UpdateWebhookInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.service.update(tenantId, webhookId, changes));
  }

  @Mutation(() => DeleteWebhookPayloadType, {
    description:
      'Deletes a webhook; its deliveries stay in the list until they are old. For OWNER and OPERATOR.',
  })
  async deleteWebhook(
    @Arg('input', () => DeleteWebhookInput) { webhookId }: DeleteWebhookInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ webhookId: await this.service.delete(tenantId, webhookId) }));
  }

  @Mutation(() => ReplayWebhookPayloadType, {
    description:
      'Sends all events behind a cursor once more, as long as they are kept. For OWNER and OPERATOR.',
  })
  async replayWebhook(
    @Arg('input', () => ReplayWebhookInput) { webhookId, after }: ReplayWebhookInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ webhook: await this.replays.replay(tenantId, webhookId, after) }));
  }

  @Mutation(() => SendTestEventPayloadType, {
    description:
      'Sends an event of the type webhook.test to this webhook alone, whatever types it wants. For OWNER and OPERATOR.',
  })
  async sendTestEvent(
    @Arg('input', () => SendTestEventInput) { webhookId }: SendTestEventInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ webhook: await this.sends.test(tenantId, webhookId) }));
  }

  @Mutation(() => ResendWebhookDeliveryPayloadType, {
    description:
      'Sends one event once more, with the same `webhook-id`; one that waits for its next attempt at once. For OWNER and OPERATOR.',
  })
  async resendWebhookDelivery(
    @Arg('input', () => ResendWebhookDeliveryInput) { deliveryId }: ResendWebhookDeliveryInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ delivery: await this.sends.resend(tenantId, deliveryId) }));
  }

  @Query(() => WebhookPageType, { description: 'The webhooks of the tenant, newest first. For staff.' })
  async webhooks(
    @Arg('filter', () => WebhookFilterInput, { nullable: true }) filter: WebhookFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<WebhookType>> {
    return this.service.list(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @Query(() => WebhookDeliveryPageType, {
    description: 'Events that were or will be sent to webhooks, newest first. For staff.',
  })
  async webhookDeliveries(
    @Arg('filter', () => WebhookDeliveryFilterInput, { nullable: true })
    filter: WebhookDeliveryFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<WebhookDelivery>> {
    const { tenantId } = requireStaff(context);
    return this.service.deliveries(tenantId, filter ?? {}, rangeOf(page, info));
  }
}

@Resolver(() => WebhookDeliveryType)
export class WebhookDeliveryResolver {
  @FieldResolver(() => ID, { description: 'The header `webhook-id`: equal for all attempts of an event.' })
  messageId(@Root() delivery: WebhookDelivery): string {
    return messageIdOf(delivery);
  }

  @FieldResolver(() => String, { description: 'The cursor of the event.' })
  cursor(@Root() { seq }: WebhookDelivery): string {
    return String(seq);
  }
}
