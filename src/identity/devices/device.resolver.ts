import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { forbidden, requireActor, requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { answer } from '../../graphql/payload.js';
import { agentOf, type DeviceAgent } from './device-agent.js';
import type { DeviceChangeService } from './device-change.service.js';
import type { DeviceLinkService } from './device-link.service.js';
import type { DeviceLoginService } from './device-login.service.js';
import type { DeviceSessionService } from './device-sessions.service.js';
import { refusal } from './device.errors.js';
import {
  CreateDeviceLinkCodeInput,
  CreateDeviceLinkCodePayloadType,
  DeviceAgentType,
  DeviceLoginInput,
  DeviceLoginPayloadType,
  DeviceType,
  RefreshDeviceSessionInput,
  RefreshDeviceSessionPayloadType,
  SetDeviceEnabledInput,
  SetDeviceEnabledPayloadType,
  SignOutDeviceInput,
  SignOutDevicePayloadType,
  UnbindDeviceInput,
  UnbindDevicePayloadType,
} from './device.types.js';

interface DeviceServices {
  readonly logins: DeviceLoginService;
  readonly deviceSessions: DeviceSessionService;
  readonly links: DeviceLinkService;
  readonly changes: DeviceChangeService;
}

@Resolver(() => DeviceType)
export class DeviceResolver {
  constructor(private readonly its: DeviceServices) {}

  @FieldResolver(() => DeviceAgentType, { description: 'What the user agent says.' })
  agent(@Root() { userAgent }: DeviceType): DeviceAgent {
    return agentOf(userAgent);
  }

  @Mutation(() => DeviceLoginPayloadType, {
    description:
      'Signs a device in. An unknown identifier signs up: user and device are made. Needs no token; the header `x-tenant-id` names the tenant.',
  })
  async deviceLogin(
    @Arg('input', () => DeviceLoginInput) input: DeviceLoginInput,
    @Ctx() { tenantId, ip }: RequestContext,
  ): Promise<object> {
    return answer(async () => this.its.logins.login({ tenantId, ip }, input));
  }

  @Mutation(() => RefreshDeviceSessionPayloadType, {
    description: 'Continues a session of a device with a new token and a new refresh token. Needs no token.',
  })
  async refreshDeviceSession(
    @Arg('input', () => RefreshDeviceSessionInput) { refreshToken }: RefreshDeviceSessionInput,
  ): Promise<object> {
    return answer(async () => this.its.deviceSessions.refresh(refreshToken));
  }

  @Mutation(() => SignOutDevicePayloadType, {
    description:
      'Ends the session of the token, or those of all devices of the user: refresh tokens and sockets, too. The devices stay bound.',
  })
  async signOutDevice(
    @Arg('input', () => SignOutDeviceInput, { nullable: true }) input: SignOutDeviceInput | null,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireUser(context);
    return answer(async () => ({
      sessionId: await this.its.deviceSessions.signOut(actor, input?.everywhere === true),
    }));
  }

  @Mutation(() => CreateDeviceLinkCodePayloadType, {
    description:
      'Makes a code with which one further device joins the user, for ten minutes. For users, and for OWNER and OPERATOR.',
  })
  async createDeviceLinkCode(
    @Arg('input', () => CreateDeviceLinkCodeInput) { userId }: CreateDeviceLinkCodeInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, ...actor } = requireActor(context);
    // It would outlive the key that made it, and reach beyond its product line.
    if (actor.kind === 'USER' && (actor.keyId !== undefined || actor.productCode !== undefined))
      throw forbidden('A token that a partner has made links no devices; the staff of the tenant do.');
    if (actor.kind === 'USER')
      return answer(async () => {
        if (userId !== null && userId !== undefined && userId !== actor.userId)
          throw refusal('USER_NOT_FOUND', { field: ['input', 'userId'] });
        return this.its.links.create(tenantId, actor.userId);
      });
    return answer(async () => {
      if (!userId) throw refusal('USER_REQUIRED', { field: ['input', 'userId'] });
      return this.its.links.create(tenantId, userId);
    });
  }

  @Mutation(() => UnbindDevicePayloadType, {
    description:
      'Takes a device from its user: its sessions end at once, and its identifier may sign up again. For users their own, and for OWNER and OPERATOR.',
  })
  async unbindDevice(
    @Arg('input', () => UnbindDeviceInput) { deviceId }: UnbindDeviceInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireActor(context);
    const owner = actor.kind === 'USER' ? actor.userId : null;
    return answer(async () => ({ device: await this.its.changes.unbind(actor.tenantId, owner, deviceId) }));
  }

  @Mutation(() => SetDeviceEnabledPayloadType, {
    description: 'Disables a device, whose sessions end at once, or enables it. For OWNER and OPERATOR.',
  })
  async setDeviceEnabled(
    @Arg('input', () => SetDeviceEnabledInput) input: SetDeviceEnabledInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    const { deviceId, enabled, expectedVersion } = input;
    return answer(async () => ({
      device: await this.its.changes.setEnabled(tenantId, deviceId, enabled, expectedVersion),
    }));
  }
}
