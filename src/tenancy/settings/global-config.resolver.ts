import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff, requireTenantId, tenantNotActive } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { SIZE_DEFAULT } from '../../graphql/page-size.js';
import { answer } from '../../graphql/payload.js';
import type { AnnouncementService } from '../announcements/announcement.service.js';
import type { AnnouncementType } from '../announcements/announcement.types.js';
import {
  GlobalConfigType,
  UpdateGlobalConfigInput,
  UpdateGlobalConfigPayloadType,
} from './global-config.types.js';
import type { TenantSettingsChangeService } from './tenant-settings-change.service.js';
import type { TenantSettings, TenantSettingsService } from './tenant-settings.service.js';

/** The tenant is not shown; its announcements are read by it. */
interface ShownConfig extends GlobalConfigType {
  readonly tenantId: string;
}

@Resolver(() => GlobalConfigType)
export class GlobalConfigResolver {
  constructor(
    private readonly settings: TenantSettingsService,
    private readonly changes: TenantSettingsChangeService,
    private readonly current: AnnouncementService,
  ) {}

  @Query(() => GlobalConfigType, {
    description:
      'The settings of the tenant, at most a second old. Without a token the header x-tenant-id names the tenant.',
  })
  async globalConfig(@Ctx() context: RequestContext): Promise<GlobalConfigType> {
    const settings = await this.settings.find(requireTenantId(context));
    if (settings === null) throw tenantNotActive();
    return shownConfig(settings);
  }

  @Mutation(() => UpdateGlobalConfigPayloadType, {
    description:
      'Changes what is given; the rest stays. Every process goes by it within a second. For OWNER and OPERATOR.',
  })
  async updateGlobalConfig(
    @Arg('input', () => UpdateGlobalConfigInput) input: UpdateGlobalConfigInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ globalConfig: shownConfig(await this.changes.update(tenantId, input)) }));
  }

  @FieldResolver()
  async announcements(@Root() config: ShownConfig): Promise<AnnouncementType[]> {
    const page = { offset: 0, size: SIZE_DEFAULT, isCounted: false };
    return (await this.current.page(config.tenantId, true, page)).items;
  }
}

/** Field by field: what is not named here stays inside. */
function shownConfig({ secrets, ...settings }: TenantSettings): ShownConfig {
  const { tenantId, version, site, auth, register, device, customData } = settings;
  return {
    tenantId,
    version,
    site,
    auth: { ...auth, hasCaptchaSecret: secrets.captchaSecret !== null },
    register,
    device: { ...device, encryptionKeyIds: Object.keys(secrets.encryptionKeys) },
    customData,
  };
}
