import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { type Engine, messageOf, type Segment } from '@offloop/core/engine';
import type { MainLine } from './main-line.js';
import { PortConnections } from './port-connections.js';
import { PortHealth } from './port-health.js';
import { PortPages } from './port-pages.js';
import { PortRequests } from './port-requests.js';
import type { PortSettings } from './port-settings.js';

/** For a client and its network: of ours none takes a second. */
const HEADERS_MS_MAX = 5_000;
const REQUEST_MS_MAX = 10_000;
const TLS_HANDSHAKE_MS_MAX = 5_000;
/** Without a byte in an answer's midst. */
const SILENT_MS_MAX = 15_000;

/** How often Node looks for late ones; a wake a second would cost 0.03 % of a core. */
const LATE_CHECK_MS = 2_000;

/** Longer than the interval of most scrapers, so that a connection serves them again. */
const KEEP_ALIVE_MS = 65_000;

/** Of a request with a token, and with the names of some hundred metrics. */
const HEADER_BYTES_MAX = 8_192;

/** Between two attempts to listen: a process that is being replaced gives its port up in a moment, another one perhaps never. */
const RETRY_MS = 100;
const RETRY_MS_MAX = 5_000;

/** Node closes a connection that asks for a tunnel without a word, unless somebody answers. */
const NO_TUNNEL =
  'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** What a port is made of. */
export interface PortServerParts {
  readonly settings: PortSettings;
  readonly segment: Segment;
  readonly line: MainLine;
  readonly engine: Engine['kind'];
  /** Drains what is published, where this thread is the one that does. */
  readonly drain: () => void;
}

/**
 * The HTTP server of the off-loop port, on whichever thread makes it. It listens as soon as it can and tells main's line so; where it cannot, it says
 * why and tries again. It keeps no process alive, and nothing that a client does is thrown.
 */
export class PortServer {
  private readonly settings: PortSettings;
  private readonly line: MainLine;
  private readonly connections: PortConnections;
  private readonly requests: PortRequests;
  private server: Server | undefined;
  private retryMs = RETRY_MS;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(parts: PortServerParts) {
    this.settings = parts.settings;
    this.line = parts.line;
    this.connections = new PortConnections(parts.settings.maxConnections);
    this.requests = new PortRequests({
      ...parts,
      pages: new PortPages(parts),
      health: new PortHealth(parts),
    });
  }

  /** Listens, now or later. */
  listen(): void {
    if (this.isClosed) return;
    try {
      const server = makeServer(this.settings, (request, response) => {
        this.connections.note(request, response);
        this.requests.answer(request, response);
      });
      this.server = server;
      this.connections.attach(server);
      server.on('error', (error) => {
        if (server.listening) return;
        server.close();
        this.tryAgain(error);
      });
      server.on('connect', (_request, socket) => void socket.end(NO_TUNNEL));
      server.on('listening', () => {
        const { address: host, port } = server.address() as AddressInfo;
        this.retryMs = RETRY_MS;
        this.line.listening({ host, port });
      });
      // Not shared with other processes of a cluster, of which each has its own metrics.
      server.listen({ host: this.settings.host, port: this.settings.port, exclusive: true });
      server.unref();
    } catch (error) {
      this.tryAgain(error);
    }
  }

  /** Breaks off what is under way. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.server?.close();
    this.connections.close();
  }

  private tryAgain(error: unknown): void {
    this.line.refused(messageOf(error));
    if (this.isClosed) return;
    this.timer = setTimeout(() => this.listen(), this.retryMs);
    this.timer.unref();
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
  }
}

/** Node's modules are loaded here and not before: most threads serve no port. */
function makeServer({ tls }: PortSettings, answer: RequestListener): Server {
  const limits: ServerOptions = {
    headersTimeout: HEADERS_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    connectionsCheckingInterval: LATE_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  const server =
    tls === undefined
      ? process.getBuiltinModule('node:http').createServer(limits, answer)
      : process
          .getBuiltinModule('node:https')
          .createServer({ ...limits, ...tls, handshakeTimeout: TLS_HANDSHAKE_MS_MAX }, answer);
  server.setTimeout(SILENT_MS_MAX);
  return server;
}
