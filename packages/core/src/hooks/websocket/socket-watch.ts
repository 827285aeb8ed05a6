import type { Pipeline } from '../../engine/pipeline.js';
import { hookTable, type TabledHook } from '../hook-table.js';
import { type Method, type ReplacedMethod, replaceMethod } from '../replaced-method.js';
import type { EndpointSeries } from './endpoint-series.js';

/** A socket of ws, as far as it is looked into. */
export interface WsSocket {
  readonly readyState: number;
  send(data: unknown, ...rest: never[]): unknown;
  emit(event: string | symbol, ...args: never[]): boolean;
  terminate(): void;
}

/** Of the WebSocket standard. */
const OPEN = 1;
const CLOSED = 3;

/** The network socket below, where ws shows it: what it has read, and handed to the system. */
interface NetSocket {
  readonly bytesRead?: number;
  /** `bytesWritten` would go through everything that waits to be written, each time. */
  readonly _bytesDispatched?: number;
}

/**
 * Counts what goes through one socket.
 *
 * It replaces `emit` and `send` of the socket, and adds no listener: those are the application's to list and to remove, and a listener for
 * errors would keep from the application that it has none.
 */
export class SocketWatch implements TabledHook {
  readonly endpoint: EndpointSeries;
  readonly pipeline: Pipeline;
  private readonly socket: WsSocket;
  private readonly onEnd: () => void;
  private readonly replaced: readonly ReplacedMethod[];
  private isOn = true;
  private openedMs = Number.NaN;
  private net: NetSocket | undefined;
  private bytesRead = 0;
  private bytesDispatched = 0;

  /** @param onEnd Called when the connection is closed, or this detached. */
  constructor(socket: WsSocket, endpoint: EndpointSeries, onEnd: () => void) {
    this.socket = socket;
    this.onEnd = onEnd;
    this.endpoint = endpoint;
    this.pipeline = endpoint.pipeline;
    this.replaced = [
      replaceMethod(socket, 'emit', (original) => this.hookedEmit(original)),
      replaceMethod(socket, 'send', (original) => this.hookedSend(original)),
    ];
    hookTable().hooks.set(socket, this);
    endpoint.watch(this);
    if (socket.readyState >= OPEN && socket.readyState < CLOSED) this.opened();
  }

  get isAttached(): boolean {
    return this.isOn;
  }

  /** Puts the socket's methods back as they were. Its connection counts as open no more. */
  detach(): void {
    if (!this.isOn) return;
    this.readWire();
    if (this.isOpen) this.endpoint.left();
    this.takeOff();
  }

  unhook(): void {
    this.detach();
  }

  private get isOpen(): boolean {
    return !Number.isNaN(this.openedMs);
  }

  private hookedEmit(original: Method): Method {
    const watch = this;
    return function (this: unknown, ...args: readonly unknown[]): unknown {
      if (watch.isOn) watch.emitted(args);
      return Reflect.apply(original, this, args);
    };
  }

  private hookedSend(original: Method): Method {
    const watch = this;
    return function (this: unknown, ...args: readonly unknown[]): unknown {
      // Before: ws hands what comes after the close to the callback, as an error.
      const isSent = watch.isOn && watch.socket.readyState === OPEN;
      const result = Reflect.apply(original, this, args);
      if (isSent) watch.sent(args[0], args[1]);
      return result;
    };
  }

  private emitted(args: readonly unknown[]): void {
    switch (args[0]) {
      case 'message':
        this.endpoint.received.part(byteLengthOf(args[1]), true);
        this.readWire();
        break;
      case 'open':
        if (!this.isOpen) this.opened();
        break;
      case 'error':
        this.endpoint.failed();
        break;
      case 'close':
        this.readWire();
        if (this.isOpen) this.endpoint.closed(args[1], this.openedMs);
        this.takeOff();
        break;
    }
  }

  private sent(data: unknown, options: unknown): void {
    const isPart =
      typeof options === 'object' && options !== null && 'fin' in options && options.fin === false;
    this.endpoint.sent.part(byteLengthOf(data), !isPart);
    this.readWire();
  }

  private opened(): void {
    this.openedMs = performance.now();
    this.endpoint.opened();
    const net = (this.socket as { readonly _socket?: NetSocket | null })._socket;
    if (typeof net !== 'object' || net === null) return;
    this.net = net;
    // What the handshake took is no message's.
    this.bytesRead = net.bytesRead ?? 0;
    this.bytesDispatched = net._bytesDispatched ?? 0;
  }

  /** What the network socket has moved since the last look. What is compressed comes after `send` has returned: it shows at the next look. */
  private readWire(): void {
    const { net, endpoint } = this;
    if (net === undefined) return;
    const { bytesRead = 0, _bytesDispatched: bytesDispatched = 0 } = net;
    if (bytesRead > this.bytesRead) {
      endpoint.received.wire(bytesRead - this.bytesRead);
      this.bytesRead = bytesRead;
    }
    if (bytesDispatched > this.bytesDispatched) {
      endpoint.sent.wire(bytesDispatched - this.bytesDispatched);
      this.bytesDispatched = bytesDispatched;
    }
  }

  private takeOff(): void {
    this.isOn = false;
    for (const method of this.replaced) method.restore();
    this.net = undefined;
    this.endpoint.forget(this);
    hookTable().hooks.delete(this.socket);
    this.onEnd();
  }
}

/** Of everything that ws sends, and of every form in which it gives a message. */
function byteLengthOf(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (typeof data === 'number') return String(data).length;
  if (typeof data !== 'object' || data === null) return 0;
  const { byteLength, size } = data as { readonly byteLength?: unknown; readonly size?: unknown };
  if (typeof byteLength === 'number') return byteLength;
  if (typeof size === 'number') return size;
  // Bytes, or the parts of a message.
  if (!Array.isArray(data)) return 0;
  let bytes = 0;
  for (const part of data) bytes += typeof part === 'number' ? 1 : byteLengthOf(part);
  return bytes;
}
