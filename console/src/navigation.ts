import type { LinkProps } from '@tanstack/react-router';
import {
  Activity,
  AppWindow,
  ArrowLeftRight,
  BadgePercent,
  Boxes,
  Coins,
  Gauge,
  Handshake,
  Building2,
  History,
  Inbox,
  Landmark,
  Layers,
  Megaphone,
  MessageSquareText,
  KeyRound,
  Settings,
  Receipt,
  ScrollText,
  Server,
  ShieldCheck,
  Stethoscope,
  Ticket,
  TicketCheck,
  Tickets,
  TicketX,
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
  /** Where a permission is not enough: an operation that the server lets them call. */
  readonly operation?: string;
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
      { to: '/refusals', label: 'Refused attempts', icon: TicketX, needs: 'READ' },
      { to: '/orders', label: 'Orders', icon: Receipt, needs: 'READ' },
    ],
  },
  {
    label: 'Rewards',
    items: [
      { to: '/plans', label: 'Plans', icon: Layers, needs: 'READ' },
      { to: '/nodes', label: 'Nodes', icon: Server, needs: 'READ' },
      { to: '/coupon-templates', label: 'Coupon templates', icon: BadgePercent, needs: 'READ' },
      { to: '/coupons', label: 'Coupons', icon: Tickets, needs: 'READ' },
    ],
  },
  {
    label: 'Money',
    items: [
      { to: '/accounts', label: 'Accounts', icon: Wallet, needs: 'READ' },
      { to: '/entries', label: 'Entries', icon: ScrollText, needs: 'READ' },
      { to: '/transfers', label: 'Transfers', icon: ArrowLeftRight, needs: 'READ' },
      { to: '/currencies', label: 'Currencies', icon: Coins, needs: 'READ' },
      { to: '/facilities', label: 'Facilities', icon: Landmark, needs: 'READ' },
    ],
  },
  {
    label: 'Access',
    items: [
      { to: '/users', label: 'Users and devices', icon: Users, needs: 'READ' },
      { to: '/partners', label: 'Partners', icon: Handshake, needs: 'READ' },
      { to: '/webhooks', label: 'Webhooks', icon: Webhook, needs: 'READ' },
      { to: '/product-lines', label: 'Product lines', icon: AppWindow, needs: 'READ' },
      { to: '/rate-limits', label: 'Rate limits', icon: Gauge, needs: 'READ' },
      { to: '/token-issuer', label: 'Token issuer', icon: KeyRound, needs: 'READ' },
      { to: '/staff', label: 'Staff', icon: UserCog, needs: 'READ' },
      { to: '/tenants', label: 'Tenants', icon: Building2, needs: 'READ_TENANTS' },
    ],
  },
  {
    label: 'Operate',
    items: [
      { to: '/announcements', label: 'Announcements', icon: MessageSquareText, needs: 'READ' },
      { to: '/settings', label: 'Settings', icon: Settings, needs: 'READ' },
      { to: '/health', label: 'Health', icon: Stethoscope, needs: 'READ' },
      { to: '/dead-letters', label: 'Dead letters', icon: Inbox, needs: 'READ' },
      { to: '/reconciliation', label: 'Reconciliation', icon: ShieldCheck, needs: 'READ' },
      { to: '/audit-log', label: 'Audit log', icon: History, needs: 'READ', operation: 'auditLog' },
    ],
  },
];

/** What this member of staff may open. */
export function navigationOf({ permissions, operations }: Viewer): readonly NavigationGroup[] {
  return navigation
    .map(({ label, items }) => ({
      label,
      items: items.filter(
        ({ needs, operation }) =>
          permissions.includes(needs) && (operation === undefined || operations.includes(operation)),
      ),
    }))
    .filter(({ items }) => items.length > 0);
}
