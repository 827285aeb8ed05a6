import { OffloopError, OffloopTypeError, showValue } from '../../errors.js';
import { register as globalRegister, type Registry } from '../../instruments/registry.js';
import { hookTable } from '../hook-table.js';
import { refuseShape } from '../library-shape.js';
import { hasMethod, isReplaceable, replaceMethod } from '../replaced-method.js';
import { type EndpointSeries, endpointSeries } from './endpoint-series.js';
import { SocketWatch, type WsSocket } from './socket-watch.js';
import { refusalWatch } from './upgrade-watch.js';

/** What a socket or a server is instrumented with. */
export interface WebSocketHookOptions {
  /** Value of the label `endpoint`. Default `default`. */
  readonly name?: string | undefined;
  /** Default: the global `register`. */
  readonly register?: Registry | undefined;
}

/** A server of ws, as far as it is looked into. */
export interface WsServer {
  readonly options: object;
  handleUpgrade(...args: never[]): void;
  shouldHandle(request: never): boolean | Promise<boolean>;
}

/**
 * One socket of ws whose connection, messages, bytes and errors are counted. The socket stays as it is, and is used as before.
 *
 * @see docs/hooks.md#websockets
 */
export class InstrumentedWebSocket<Socket extends WsSocket = WsSocket> {
  /** The socket, which is the one that was given. */
  readonly socket: Socket;
  private readonly watch: SocketWatch;

  /**
   * @param socket Of either side, before or after it has opened. One that is instrumented already counts once.
   * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT`
   * @throws {OffloopError} `OFFLOOP_ERR_LIBRARY_ABSENT`, `OFFLOOP_ERR_HOOK`, `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_FAMILIES_FULL`,
   *   `OFFLOOP_ERR_CATALOG_FULL`.
   */
  constructor(socket: Socket, options: WebSocketHookOptions = {}) {
    checkObject('socket', socket, ['send', 'emit', 'terminate', 'addEventListener']);
    const { name, register } = checkedOptions(options);
    this.socket = socket;
    this.watch = watchSocket(socket, endpointSeries(register, name));
  }

  /** Whether it still counts: until the connection is closed, or `detach()`. */
  get isAttached(): boolean {
    return this.watch.isAttached;
  }

  /** Takes itself off the socket without a trace. Its connection counts as open no more. */
  detach(): void {
    this.watch.detach();
  }
}

/** What is left in the hands of whoever has instrumented a server. */
export interface InstrumentedServer {
  /** Whether it still counts. */
  readonly isAttached: boolean;
  /** Takes itself off the server, and off each of its sockets, without a trace. */
  detach(): void;
}

/**
 * Counts every connection of a server of ws, the ones that are open already included, and the upgrades that it refuses.
 *
 * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT`
 * @throws {OffloopError} see {@link InstrumentedWebSocket}.
 * @example
 * import { WebSocketServer } from 'ws';
 * const wss = new WebSocketServer({ noServer: true });
 * const instrumented = instrumentWebSocketServer(wss, { name: 'chat' });
 * instrumented.detach();
 */
export function instrumentWebSocketServer(
  server: WsServer,
  options: WebSocketHookOptions = {},
): InstrumentedServer {
  checkObject('server', server, ['handleUpgrade', 'shouldHandle', 'emit', 'close']);
  const { name, register } = checkedOptions(options);
  const endpoint = endpointSeries(register, name);
  const { hooks } = hookTable();
  // By its shape, as another copy of this package may have made it.
  const known = hooks.get(server) as ServerWatch | undefined;
  if (known !== undefined && known.endpoint !== endpoint) refuseSecond('server');
  if (known !== undefined) return known;
  return new ServerWatch(server, endpoint);
}

class ServerWatch implements InstrumentedServer {
  readonly endpoint: EndpointSeries;
  readonly pipeline;
  private readonly server: WsServer;
  private readonly sockets = new Set<SocketWatch>();
  private readonly upgrades: { restore(): void };
  private isOn = true;

  constructor(server: WsServer, endpoint: EndpointSeries) {
    this.server = server;
    this.endpoint = endpoint;
    this.pipeline = endpoint.pipeline;
    if (!isReplaceable(server, 'handleUpgrade')) refuseFixed('server', 'handleUpgrade');
    this.upgrades = replaceMethod(server, 'handleUpgrade', (original) =>
      refusalWatch(original, {
        isOn: () => this.isOn,
        accepted: (socket) => this.adopt(socket),
        refused: () => endpoint.refused(),
      }),
    );
    hookTable().hooks.set(server, this);
    endpoint.watch(this);
    const { clients } = server as { readonly clients?: Iterable<WsSocket> };
    for (const socket of clients ?? []) this.adopt(socket);
  }

  get isAttached(): boolean {
    return this.isOn;
  }

  detach(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.upgrades.restore();
    for (const socket of this.sockets) socket.detach();
    this.sockets.clear();
    this.endpoint.forget(this);
    hookTable().hooks.delete(this.server);
  }

  unhook(): void {
    this.detach();
  }

  private adopt(socket: WsSocket): void {
    // One that the application has instrumented itself counts where it wants.
    if (hookTable().hooks.has(socket)) return;
    const watch = new SocketWatch(socket, this.endpoint, () => this.sockets.delete(watch));
    this.sockets.add(watch);
  }
}

function watchSocket(socket: WsSocket, endpoint: EndpointSeries): SocketWatch {
  const known = hookTable().hooks.get(socket) as SocketWatch | undefined;
  if (known !== undefined) {
    if (known.endpoint !== endpoint) refuseSecond('socket');
    return known;
  }
  for (const method of ['emit', 'send']) {
    if (!isReplaceable(socket, method)) refuseFixed('socket', method);
  }
  return new SocketWatch(socket, endpoint, () => {});
}

function checkedOptions(options: WebSocketHookOptions): {
  readonly name: string;
  readonly register: Registry;
} {
  if (typeof options !== 'object' || options === null) {
    throw new OffloopTypeError(
      'OFFLOOP_ERR_ARGUMENT',
      `options must be an object, got ${showValue(options)}`,
    );
  }
  const { name = 'default', register = globalRegister } = options;
  if (typeof name === 'string' && name !== '') return { name, register };
  throw new OffloopTypeError(
    'OFFLOOP_ERR_ARGUMENT',
    `options.name must be a text that is not empty, got ${showValue(name)}`,
  );
}

function checkObject(path: string, value: object, methods: readonly string[]): void {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && methods.every((method) => hasMethod(value, method))) return;
  refuseShape({ path, library: 'ws', packageName: 'ws' });
}

function refuseSecond(path: string): never {
  throw new OffloopError(
    'OFFLOOP_ERR_HOOK',
    `${path} must be instrumented once: it is, under another name or for another registry`,
  );
}

function refuseFixed(path: string, method: string): never {
  throw new OffloopError(
    'OFFLOOP_ERR_HOOK',
    `${path} must let its methods be replaced, got one whose ${method} is fixed`,
  );
}
