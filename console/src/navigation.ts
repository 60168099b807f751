import type { LinkProps } from '@tanstack/react-router';
import {
  Activity,
  AppWindow,
  Boxes,
  Handshake,
  History,
  Inbox,
  Layers,
  Megaphone,
  Receipt,
  ScrollText,
  ShieldCheck,
  Stethoscope,
  Ticket,
  TicketCheck,
  UserCog,
  Users,
  Wallet,
  Webhook,
  type LucideIcon,
} from 'lucide-react';
import type { Permission, Viewer } from './api/viewer';

export interface NavigationItem {
  readonly to: NonNullable<LinkProps['to']>;
  readonly label: string;
  readonly icon: LucideIcon;
  /** Shown to those who have it. */
  readonly needs: Permission;
  /** Where a permission is not enough: the roles that the server lets in. */
  readonly roles?: readonly NonNullable<Viewer['role']>[];
}

export interface NavigationGroup {
  readonly label: string;
  readonly items: readonly NavigationItem[];
}

/** The sidebar, and what Ctrl K jumps to. */
export const navigation: readonly NavigationGroup[] = [
  {
    label: 'Redeem',
    items: [
      { to: '/overview', label: 'Overview', icon: Activity, needs: 'READ' },
      { to: '/campaigns', label: 'Campaigns', icon: Megaphone, needs: 'READ' },
      { to: '/codes', label: 'Codes', icon: Ticket, needs: 'READ' },
      { to: '/batches', label: 'Batches', icon: Boxes, needs: 'READ' },
      { to: '/redemptions', label: 'Redemptions', icon: TicketCheck, needs: 'READ' },
      { to: '/orders', label: 'Orders', icon: Receipt, needs: 'READ' },
      { to: '/accounts', label: 'Accounts', icon: Wallet, needs: 'READ' },
      { to: '/entries', label: 'Entries', icon: ScrollText, needs: 'READ' },
      { to: '/plans', label: 'Plans', icon: Layers, needs: 'READ' },
    ],
  },
  {
    label: 'Access',
    items: [
      { to: '/users', label: 'Users and devices', icon: Users, needs: 'READ' },
      { to: '/partners', label: 'Partners', icon: Handshake, needs: 'READ' },
      { to: '/webhooks', label: 'Webhooks', icon: Webhook, needs: 'READ' },
      { to: '/product-lines', label: 'Product lines', icon: AppWindow, needs: 'READ' },
      { to: '/staff', label: 'Staff', icon: UserCog, needs: 'READ' },
    ],
  },
  {
    label: 'Operate',
    items: [
      { to: '/health', label: 'Health', icon: Stethoscope, needs: 'READ' },
      { to: '/dead-letters', label: 'Dead letters', icon: Inbox, needs: 'READ' },
      { to: '/reconciliation', label: 'Reconciliation', icon: ShieldCheck, needs: 'READ' },
      { to: '/audit-log', label: 'Audit log', icon: History, needs: 'READ', roles: ['OWNER', 'AUDITOR'] },
    ],
  },
];

/** What this member of staff may open. */
export function navigationOf({ permissions, role }: Viewer): readonly NavigationGroup[] {
  return navigation
    .map(({ label, items }) => ({
      label,
      items: items.filter(
        ({ needs, roles }) =>
          permissions.includes(needs) && (roles === undefined || (role !== null && roles.includes(role))),
      ),
    }))
    .filter(({ items }) => items.length > 0);
}
