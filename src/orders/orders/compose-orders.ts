import type { Config } from '../../config.js';
import type { LedgerService } from '../../money/ledger.service.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { JobQueue } from '../../platform/queue/job-queue.js';
import type { Job } from '../../platform/scheduling/job.js';
import type { PlanSaleService } from '../../subscriptions/plan-sale.service.js';
import type { CouponService } from '../coupons/coupon.service.js';
import type { PointsService } from '../points/points.service.js';
import { OrderChangeResolver } from './order-change.resolver.js';
import { OrderClosing } from './order-closing.service.js';
import { OrderEventsResolver } from './order-events.resolver.js';
import { OrderPayment } from './order-payment.entity.js';
import { OrderPaymentService } from './order-payment.service.js';
import { OrderPlacement } from './order-placement.entity.js';
import { OrderPlacementService, type PlacementTerms } from './order-placement.service.js';
import { OrderRefund } from './order-refund.entity.js';
import { OrderRefundService } from './order-refund.service.js';
import { OrderSettlement } from './order-settlement.js';
import { OrderTimeouts, type TimeoutJob } from './order-timeouts.js';
import { Order } from './order.entity.js';
import type { OrderService } from './order.service.js';
import { paymentRoutes } from './payment-callback.routes.js';

export const ORDER_ENTITIES = [Order, OrderPlacement, OrderPayment, OrderRefund];
export const ORDER_RESOLVERS = [OrderChangeResolver, OrderEventsResolver];

const SWEEP_EVERY_MS = 60_000;
const MINUTE_MS = 60_000;

export interface OrderNeeds extends PlatformServices {
  readonly config: Config;
  readonly redisUrl: string;
  readonly planSales: PlanSaleService;
  readonly ledger: LedgerService;
}

interface OrderParts extends OrderNeeds {
  readonly orders: OrderService;
  readonly coupons: CouponService;
  readonly points: PointsService;
}

/** Orders that are placed, paid, closed and refunded. */
export function composeOrders(its: OrderParts) {
  const { config, clock, log } = its;
  const terms = termsOf(config);
  const queue = new JobQueue<TimeoutJob>({
    redis: its.redis,
    redisUrl: its.redisUrl,
    name: 'order-timeouts',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
  });
  const closing = new OrderClosing(its);
  const timeouts = new OrderTimeouts({ ...its, closing, queue });
  const settlement = new OrderSettlement(its);
  const placed = async (order: Order): Promise<void> => timeouts.placed(order, terms.timeoutMs);
  const placements = new OrderPlacementService({ ...its, settlement, terms, placed });
  const payments = new OrderPaymentService({ ...its, settlement, closing });
  const refunds = new OrderRefundService({ ...its, settlement });
  const secrets = [config.PAYMENT_SECRET, config.PAYMENT_SECRET_PREVIOUS].filter((one) => one !== undefined);
  return {
    services: {
      placements,
      payments,
      orderClosing: closing,
      refunds,
      orderTimeouts: timeouts,
    },
    resolvers: [
      new OrderChangeResolver({ placements, payments, closing, refunds }),
      new OrderEventsResolver(),
    ],
    jobs: jobsOf(timeouts, log),
    routes: paymentRoutes({ payments, clock, secrets }),
  };
}

/** The sweep is in each worker and on a timer, so that it goes on while Redis is away. */
function jobsOf(timeouts: OrderTimeouts, log: PlatformServices['log']): Job[] {
  const sweep = async (signal?: AbortSignal): Promise<void> => {
    const closed = await timeouts.sweep(signal);
    if (closed > 0) log.info({ closed }, 'orders that were not paid in time were closed by the sweep');
  };
  return [timeouts, { name: 'unpaid orders', everyMs: SWEEP_EVERY_MS, where: 'IN_EACH', run: sweep }];
}

function termsOf(config: Config): PlacementTerms {
  return {
    pendingMax: config.ORDERS_PENDING_MAX,
    pointValue: config.POINT_VALUE,
    timeoutMs: config.ORDER_TIMEOUT_MINUTES * MINUTE_MS,
    ownCleanUp: config.ORDER_SOURCES_WITH_OWN_CLEANUP,
  };
}
