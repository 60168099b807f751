/**
 * What mini programs have instead of `fetch`, `WebSocket` and `localStorage`, in the forms that the SDK takes:
 * `miniFetch(wx.request)`, `miniWebSocket(wx.connectSocket)`, `miniStorage(wx)`.
 */
import type { FetchLike, TextStore } from './platform.js';

interface MiniReply {
  readonly statusCode?: number;
  /** In Alipay's mini programs. */
  readonly status?: number;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

interface MiniFailure {
  readonly errMsg?: string;
  readonly errorMessage?: string;
}

interface MiniCall {
  readonly url: string;
  readonly method: 'POST';
  readonly header: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly data: string;
  readonly dataType: 'text';
  readonly success: (reply: MiniReply) => void;
  readonly fail: (failure: MiniFailure) => void;
}

/** `wx.request`, `tt.request`, `my.request` and their like. */
export type MiniRequest = (call: MiniCall) => unknown;

export function miniFetch(request: MiniRequest): FetchLike {
  return async (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      request({
        url,
        method,
        header: headers,
        headers,
        data: body,
        dataType: 'text',
        success: (reply) => resolve({ ...plainReply(reply) }),
        fail: ({ errMsg, errorMessage }) =>
          reject(new Error(errMsg ?? errorMessage ?? 'The request failed.')),
      });
    });
}

function plainReply({ statusCode, status, header, headers, data }: MiniReply) {
  const named = Object.entries(header ?? headers ?? {});
  const values = new Map(named.map(([name, value]) => [name.toLowerCase(), String(value)]));
  const text = typeof data === 'string' ? data : JSON.stringify(data ?? '');
  return {
    status: statusCode ?? status ?? 0,
    headers: { get: (name: string) => values.get(name.toLowerCase()) ?? null },
    text: async () => text,
  };
}

interface MiniSocketTask {
  onOpen(listener: () => void): void;
  onMessage(listener: (message: { readonly data: unknown }) => void): void;
  onError(listener: (failure: MiniFailure) => void): void;
  onClose(listener: (close: { readonly code?: number; readonly reason?: string }) => void): void;
  send(message: { readonly data: string }): void;
  close(close: { readonly code?: number; readonly reason?: string }): void;
}

/** `wx.connectSocket` and its like. */
export type MiniConnectSocket = (call: {
  readonly url: string;
  readonly protocols: string[];
}) => MiniSocketTask;

interface MiniClose {
  readonly code: number;
  readonly reason: string;
}

/** A class of the form of the browser's `WebSocket`, of which the SDK uses the part that is here. */
export function miniWebSocket(connectSocket: MiniConnectSocket) {
  return class MiniWebSocket {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    readyState = MiniWebSocket.CONNECTING;
    onopen: (() => void) | null = null;
    onmessage: ((message: { readonly data: unknown }) => void) | null = null;
    onerror: ((failure: Error) => void) | null = null;
    onclose: ((close: MiniClose) => void) | null = null;
    readonly task: MiniSocketTask;

    constructor(url: string, protocol: string) {
      this.task = connectSocket({ url, protocols: [protocol] });
      this.task.onOpen(() => {
        this.readyState = MiniWebSocket.OPEN;
        this.onopen?.();
      });
      this.task.onMessage(({ data }) => this.onmessage?.({ data }));
      this.task.onError(({ errMsg, errorMessage }) => {
        this.readyState = MiniWebSocket.CLOSED;
        this.onerror?.(new Error(errMsg ?? errorMessage ?? 'The socket failed.'));
      });
      this.task.onClose(({ code = 1006, reason = '' }) => {
        this.readyState = MiniWebSocket.CLOSED;
        this.onclose?.({ code, reason });
      });
    }

    send(data: string): void {
      this.task.send({ data });
    }

    close(code?: number, reason?: string): void {
      this.readyState = MiniWebSocket.CLOSING;
      this.task.close({ ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) });
    }
  };
}

/** The part of `wx` that stores texts. */
export interface MiniStorage {
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: string): void;
  removeStorageSync(key: string): void;
}

export function miniStorage(platform: MiniStorage): TextStore {
  return {
    getItem: (key) => {
      const value = platform.getStorageSync(key);
      // What is not there reads as an empty text.
      return typeof value === 'string' && value !== '' ? value : null;
    },
    setItem: (key, value) => platform.setStorageSync(key, value),
    removeItem: (key) => platform.removeStorageSync(key),
  };
}
