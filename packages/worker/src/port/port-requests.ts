import type { ServerResponse } from 'node:http';
import { snapshotToJson } from '@offloop/core';
import { type Segment, SnapshotReader } from '@offloop/core/engine';
import { isAllowedHost } from '../http/allowed-hosts.js';
import { asksForCredentials, challenges, holdsCredentials } from '../http/credentials.js';
import {
  answerJson,
  answerText,
  answerUnavailable,
  isRead,
  pathOf,
  type RoutedMessage,
} from '../http/http-answer.js';
import { scrape } from '../http/scrape.js';
import type { MainLine } from './main-line.js';
import type { HealthAnswer, PortHealth } from './port-health.js';
import type { PortPages } from './port-pages.js';
import type { PortSettings } from './port-settings.js';

/** Requests that are answered at a time; each may hold a page's chunks, and its client may be slow. */
const REQUESTS_MAX = 64;

type Respond = (request: RoutedMessage, response: ServerResponse) => void;

interface Endpoint {
  readonly respond: Respond;
  /** Whether it asks for credentials, where there are any. Probes of health have none to send. */
  readonly isGuarded: boolean;
}

/** What requests to the port get. Nothing that one of them brings about is thrown. */
export class PortRequests {
  private readonly of: PortRequestParts;
  private readonly snapshots: SnapshotReader;
  private readonly endpoints: ReadonlyMap<string, Endpoint>;
  private openCount = 0;

  constructor(of: PortRequestParts) {
    this.of = of;
    this.snapshots = new SnapshotReader(of.segment);
    const { health } = of;
    this.endpoints = new Map<string, Endpoint>([
      ['/metrics', { respond: this.scrape, isGuarded: true }],
      ['/diagnostics/metrics', { respond: this.diagnostics, isGuarded: true }],
      ['/health', { respond: answering(() => health.health()), isGuarded: false }],
      ['/health/extended', { respond: answering(() => health.extended()), isGuarded: true }],
      ['/health/live', { respond: answering(() => health.live()), isGuarded: false }],
      ['/health/ready', { respond: answering(() => health.ready()), isGuarded: false }],
    ]);
  }

  readonly answer: Respond = (request, response) => {
    this.openCount++;
    response.once('close', () => {
      this.openCount--;
    });
    try {
      this.dispatch(request, response);
    } catch (error) {
      answerUnavailable(request, response, error);
    }
  };

  private dispatch(request: RoutedMessage, response: ServerResponse): void {
    const { settings } = this.of;
    if (!isRead(request)) {
      response.setHeader('Allow', 'GET, HEAD');
      // What comes as its body is not read.
      response.setHeader('Connection', 'close');
      answerText(request, response, { status: 405, text: 'only GET and HEAD are answered' });
      return;
    }
    const { allowedHosts } = settings;
    if (allowedHosts !== undefined && !isAllowedHost(request.headers.host, allowedHosts)) {
      answerText(request, response, {
        status: 403,
        text: 'this host name is not allowed here; the option portOptions.allowedHosts names those that are',
      });
      return;
    }
    const endpoint = this.endpoints.get(pathOf(request.url ?? ''));
    if (endpoint === undefined) {
      answerText(request, response, {
        status: 404,
        text: `there are ${[...this.endpoints.keys()].join(', ')}`,
      });
      return;
    }
    const { credentials } = settings;
    const { authorization } = request.headers;
    const isOpen = !endpoint.isGuarded || !asksForCredentials(credentials);
    if (!isOpen && !holdsCredentials(authorization, credentials)) {
      response.setHeader('WWW-Authenticate', challenges(credentials));
      answerText(request, response, { status: 401, text: 'credentials are missing or wrong' });
      return;
    }
    if (this.openCount > REQUESTS_MAX) {
      response.setHeader('Retry-After', '1');
      answerText(request, response, { status: 503, text: 'too many requests are at work' });
      return;
    }
    endpoint.respond(request, response);
  }

  private readonly scrape: Respond = (request, response) => {
    if (this.of.line.latest.facts.hasScrapes) scrape(this.of.pages, request, response);
    else answerText(request, response, { status: 404, text: 'scraping is switched off' });
  };

  private readonly diagnostics: Respond = answering(async () => {
    const { facts } = await this.of.line.refresh();
    await this.of.drain();
    const snapshot = this.snapshots.read(facts);
    const process = { ...snapshot.process, heapUsedBytes: facts.heapUsedBytes };
    return { status: 200, json: snapshotToJson({ ...snapshot, process }) };
  });
}

/** What requests are answered from. */
export interface PortRequestParts {
  readonly settings: PortSettings;
  readonly segment: Segment;
  readonly line: MainLine;
  readonly pages: PortPages;
  readonly health: PortHealth;
  /** Drains what is published. */
  readonly drain: () => void;
}

function answering(ask: () => Promise<HealthAnswer>): Respond {
  return (request, response) => {
    ask().then(
      (content) => answerJson(request, response, content),
      (error: unknown) => answerUnavailable(request, response, error),
    );
  };
}
