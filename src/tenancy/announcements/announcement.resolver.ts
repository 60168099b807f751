import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff, requireTenantId, tenantNotActive } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { PageArgs, type PageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import type { TenantSettingsService } from '../settings/tenant-settings.service.js';
import type { AnnouncementService } from './announcement.service.js';
import {
  AnnouncementPageType,
  CreateAnnouncementInput,
  CreateAnnouncementPayloadType,
  DeleteAnnouncementInput,
  DeleteAnnouncementPayloadType,
  UpdateAnnouncementInput,
  UpdateAnnouncementPayloadType,
  type AnnouncementType,
} from './announcement.types.js';

@Resolver()
export class AnnouncementResolver {
  constructor(
    private readonly announcements: AnnouncementService,
    private readonly settings: TenantSettingsService,
  ) {}

  @Mutation(() => CreateAnnouncementPayloadType, {
    description: 'Tells the users of the tenant something. For OWNER and OPERATOR.',
  })
  async createAnnouncement(
    @Arg('input', () => CreateAnnouncementInput) input: CreateAnnouncementInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ announcement: await this.announcements.create(tenantId, input) }));
  }

  @Mutation(() => UpdateAnnouncementPayloadType, {
    description: 'Changes an announcement, from the next request on. For OWNER and OPERATOR.',
  })
  async updateAnnouncement(
    @Arg('input', () => UpdateAnnouncementInput) { announcementId, ...changes }: UpdateAnnouncementInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({
      announcement: await this.announcements.update(tenantId, announcementId, changes),
    }));
  }

  @Mutation(() => DeleteAnnouncementPayloadType, {
    description: 'Withdraws an announcement, for good. For OWNER and OPERATOR.',
  })
  async deleteAnnouncement(
    @Arg('input', () => DeleteAnnouncementInput) { announcementId }: DeleteAnnouncementInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({
      announcementId: await this.announcements.delete(tenantId, announcementId),
    }));
  }

  @Query(() => AnnouncementPageType, {
    name: 'announcements',
    description:
      'Announcements, newest first: all of them for staff, those of this moment for everyone else. Without a token the header x-tenant-id names the tenant.',
  })
  async list(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() context: RequestContext,
  ): Promise<PageOf<AnnouncementType>> {
    const tenantId = requireTenantId(context);
    if ((await this.settings.find(tenantId)) === null) throw tenantNotActive();
    return this.announcements.page(tenantId, context.actor?.kind !== 'STAFF', page);
  }
}
