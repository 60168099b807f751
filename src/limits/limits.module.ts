import type { Config } from '../config.js';
import { RateLimitService } from './rate-limit.service.js';

/** Rate limits of product lines. */
export const limits = {
  name: 'limits',
  compose: ({ config }: { readonly config: Config }) => {
    const { RATE_LIMIT_DEFAULT_HOUR: hour, RATE_LIMIT_DEFAULT_DAY: day } = config;
    return { services: { limits: new RateLimitService({ hour, day }) } };
  },
};
