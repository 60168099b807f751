import { Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { TENANT_TYPES, type TenantType } from '../../tenancy/tenant.entity.js';
import { ACTOR_KINDS, type Actor, type StaffRole } from '../../graphql/actor.js';
import { PERMISSIONS, type Permission } from './viewer.permissions.js';
import { StaffRoleEnum, StaffType } from '../staff/staff.types.js';
import { UserType } from './user.types.js';

const ActorKindEnum = enumFromValues('ActorKind', ACTOR_KINDS, 'The kind of owner of a token.', {
  USER: 'A user who redeems codes.',
  STAFF: "A member of a tenant's staff.",
  NODE: 'A server that lets subscribers in.',
  PARTNER: 'The server of a partner, with an API key.',
});
const PermissionEnum = enumFromValues('Permission', PERMISSIONS, 'A right of a caller.', {
  REDEEM: 'Redeem codes, and read their own data.',
  SPEND: 'Place and pay orders, and transfer their own money.',
  READ: "Read everything of the caller's tenant.",
  READ_NODE_USERS: 'Read who may use a node; a node reads its own.',
  CHANGE: "Change everything of the caller's tenant.",
  CHANGE_STAFF: 'Invite and change staff, and erase users.',
  READ_TENANTS: 'Read all tenants.',
  CHANGE_TENANTS: 'Make and change tenants.',
});
const TenantTypeEnum = enumFromValues(
  'TenantType',
  TENANT_TYPES,
  'PLATFORM runs the installation, CHANNEL uses it.',
);

@ObjectType('Viewer', { description: 'The caller by the token, with their rights.' })
export class ViewerType {
  @Field(() => ActorKindEnum)
  kind!: Actor['kind'];

  @Field(() => ID)
  tenantId!: string;

  @Field(() => String, { nullable: true })
  tenantName!: string | null;

  @Field(() => TenantTypeEnum, { nullable: true })
  tenantType!: TenantType | null;

  @Field(
    () => ID,
    nullable("The id of the member of staff's account, or a name that an operator gave; else null."),
  )
  staffId!: string | null;

  @Field(() => StaffRoleEnum, nullable('Null for users and nodes.'))
  role!: StaffRole | null;

  @Field(() => StaffType, nullable('The account of a member of staff who signed in with one; else null.'))
  staff!: StaffType | null;

  @Field(() => UserType, nullable('Null for staff and nodes.'))
  user!: UserType | null;

  @Field(() => ID, nullable('The node; null for users and staff.'))
  nodeId!: string | null;

  @Field(() => ID, nullable('The partner of an API key; else null.'))
  partnerId!: string | null;

  @Field(() => [String], nullable('The scopes of an API key; else null.'))
  scopes!: string[] | null;

  @Field(() => [PermissionEnum])
  permissions!: Permission[];

  @Field(() => [String], {
    description:
      "Names of the operations that the caller may use; a partner's key uses those of them that are registered.",
  })
  operations!: string[];
}
