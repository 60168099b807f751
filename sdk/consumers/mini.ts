/** What a mini program writes: nothing of a browser or of Node is there, in the types neither. */
import { createClient } from '@redeemkit/client';
import { deviceSession } from '@redeemkit/client/devices';
import {
  miniFetch,
  miniStorage,
  miniWebSocket,
  type MiniConnectSocket,
  type MiniRequest,
  type MiniStorage,
} from '@redeemkit/client/mini';
import { createSubscriptions } from '@redeemkit/client/subscriptions';

declare const wx: MiniStorage & { readonly request: MiniRequest; readonly connectSocket: MiniConnectSocket };

const connection = { url: 'https://codes.example.com', env: 'mini', fetch: miniFetch(wx.request) } as const;
const store = miniStorage(wx);
const randomBytes = (length: number): Uint8Array => new Uint8Array(length);
const { token } = deviceSession({ ...connection, tenantId: 'CH_1', store, randomBytes });

export const client = createClient({ ...connection, token, pendingStore: store });
export const subscriptions = createSubscriptions({
  ...connection,
  token,
  WebSocket: miniWebSocket(wx.connectSocket),
});
