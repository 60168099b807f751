import { bytesText, countText } from '../../kit/format';

export const trafficText = (bytes: number): string => (bytes === 0 ? 'unlimited' : bytesText(bytes));
export const inventoryText = (left: number): string =>
  left === -1 ? 'unlimited' : left === 0 ? 'sold out' : countText(left);
export const limitText = (limit: number): string => (limit === 0 ? 'unlimited' : countText(limit));
