import http, {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  OffloopError,
  OffloopTypeError,
  type Registry,
  type RegistryContentType,
  register,
  TEXT_CONTENT_TYPE,
} from '@offloop/core';
import { showValue } from '@offloop/core/engine';
import { type Groupings, groupingPath } from './grouping-path.js';

const packWithGzip = promisify(gzip);

/** What `new Pushgateway()` takes beside the URL: everything that Node's `http.request` and `https.request` take. */
export interface PushgatewayOptions extends RequestOptions {
  /** Whether a push without `jobName` is refused. Default true. Others than Prometheus' own gateway may do without. */
  readonly requireJobName?: boolean;
}

/** Which group of metrics a push is about. */
export interface PushParameters {
  readonly jobName: string;
  /** Further labels of the group. One that is `undefined` is left out. */
  readonly groupings?: Groupings;
}

/** A gateway's answer. */
export interface PushResult {
  readonly resp: IncomingMessage;
  readonly body: string;
}

/** A registry whose metrics can be pushed: offloop's, whose page the engine renders, or any that gives its page as text. */
export interface PushedRegistry {
  metrics(): Promise<string>;
  readonly contentType?: string;
}

/**
 * Pushes a registry's metrics to a Prometheus Pushgateway: prom-client's class, for jobs that end before anybody scrapes them.
 *
 * The page is rendered by the engine, and packed by it where the headers say `Content-Encoding: gzip`; the calling thread passes bytes on. A
 * push keeps the process alive until it is done, and nothing of it does afterwards, with an agent that keeps connections alive either.
 *
 * @example
 * const gateway = new Pushgateway('http://127.0.0.1:9091', { timeout: 5_000 });
 * await gateway.pushAdd({ jobName: 'nightly', groupings: { instance: 'a' } });
 */
export class Pushgateway<T extends RegistryContentType = RegistryContentType> {
  private readonly url: string;
  private readonly requireJobName: boolean;
  private readonly requestOptions: RequestOptions;
  private readonly registry: PushedRegistry;

  /**
   * @param url Of the gateway, with the path that it is mounted at, if any.
   * @param options Or the registry, as prom-client 0.16 takes it; or `[]`, which some code written for prom-client has in their place.
   * @param registry Default: the global `register`.
   */
  constructor(
    url: string,
    options?: PushgatewayOptions | Registry<T> | PushedRegistry | readonly never[] | null,
    registry?: Registry<T> | PushedRegistry | null,
  ) {
    const { requireJobName = true, ...requestOptions } = isOptions(options) ? options : {};
    this.url = url;
    this.requireJobName = requireJobName;
    this.requestOptions = requestOptions;
    this.registry = (isPushed(options) ? options : registry) ?? register;
  }

  /**
   * Puts the metrics into their group, where they replace those of the same names and leave others.
   *
   * @throws {OffloopError} At once, `OFFLOOP_ERR_ARGUMENT` without `jobName`, and for a grouping that is no label. The promise rejects with `OFFLOOP_ERR_PUSH` for an answer of 400
   *   or more and for a timeout, with Node's own error where there is no connection, and with what a metric's `collect` throws.
   */
  pushAdd(params?: PushParameters): Promise<PushResult> {
    return this.send('POST', params);
  }

  /**
   * The same, and removes every other metric of the group.
   *
   * @throws As `pushAdd`.
   */
  push(params?: PushParameters): Promise<PushResult> {
    return this.send('PUT', params);
  }

  /**
   * Removes the group with all its metrics.
   *
   * @throws As `pushAdd`.
   */
  delete(params?: PushParameters): Promise<PushResult> {
    return this.send('DELETE', params);
  }

  /** Not `async`: prom-client's throws what is wrong with its parameters, and does not reject. */
  private send(
    method: 'POST' | 'PUT' | 'DELETE',
    params: Partial<PushParameters> = {},
  ): Promise<PushResult> {
    const { jobName, groupings } = params ?? {};
    if (this.requireJobName && !jobName) {
      throw new OffloopError('OFFLOOP_ERR_ARGUMENT', 'Missing jobName parameter');
    }
    return this.sendTo(method, groupingPath(jobName, groupings));
  }

  private async sendTo(method: 'POST' | 'PUT' | 'DELETE', path: string): Promise<PushResult> {
    const target = targetOf(this.url, path);
    // A copy: what is changed below is the caller's, and may be another gateway's too.
    const headers = headersOf(this.requestOptions.headers);
    let body: Uint8Array | undefined;
    if (method === 'DELETE') {
      headers.delete('content-encoding');
    } else {
      if (!headers.has('content-type')) headers.set('content-type', contentTypeOf(this.registry));
      body = await this.pageOf(headers.get('content-encoding') === 'gzip');
    }
    const options = { ...this.requestOptions, method, headers: Object.fromEntries(headers) };
    return sent(target, options, body);
  }

  /** Rendered before the connection is opened: the gateway's patience and the timeout are for sending. */
  private async pageOf(isPacked: boolean): Promise<Uint8Array> {
    const { registry } = this;
    if (!isPaged(registry)) {
      const page = Buffer.from(await registry.metrics());
      return isPacked ? packWithGzip(page) : page;
    }
    const page = await registry.page({ format: 'text', encoding: isPacked ? 'gzip' : 'identity' });
    // A small page comes unpacked, and the header says that it is.
    return isPacked && page.encoding !== 'gzip' ? packWithGzip(page.bytes) : page.bytes;
  }
}

/** Always text from registries of offloop: no gateway of Prometheus reads OpenMetrics. */
function contentTypeOf(registry: PushedRegistry): string {
  return isPaged(registry) ? TEXT_CONTENT_TYPE : (registry.contentType ?? TEXT_CONTENT_TYPE);
}

function sent(
  target: URL,
  options: RequestOptions,
  body: Uint8Array | undefined,
): Promise<PushResult> {
  // By way of the modules' objects and with one object of options, as prom-client: tests mock `http.request` and look at its first argument.
  const library = target.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = library.request({ ...urlToHttpOptions(target), ...options }, (resp) => {
      let answer = '';
      resp.setEncoding('utf8');
      resp.on('data', (text: string) => {
        answer += text;
      });
      resp.on('error', reject);
      resp.on('end', () => {
        const { statusCode = 0 } = resp;
        if (statusCode < 400) resolve({ resp, body: answer });
        else reject(failure(`push failed with status ${statusCode}, ${answer}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(failure('Pushgateway request timed out')));
    outgoing.end(body);
  });
}

function failure(message: string): OffloopError {
  return new OffloopError('OFFLOOP_ERR_PUSH', message);
}

function targetOf(gatewayUrl: string, path: string): URL {
  let target: URL | undefined;
  try {
    target = new URL(gatewayUrl);
  } catch {
    // Refused below, with what is wrong.
  }
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') {
    throw new OffloopTypeError(
      'OFFLOOP_ERR_ARGUMENT',
      `url must be an http or https URL, got ${showValue(gatewayUrl)}`,
    );
  }
  target.pathname = `${target.pathname.replace(/\/+$/, '')}${path}`;
  return target;
}

/** Headers by their names in lower case, which are the same to HTTP. */
function headersOf(
  headers: RequestOptions['headers'],
): Map<string, OutgoingHttpHeader | undefined> {
  const given: OutgoingHttpHeaders = {};
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2)
      given[headers[index] as string] = headers[index + 1];
  } else {
    Object.assign(given, headers);
  }
  return new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}

function isOptions(
  value: PushgatewayOptions | PushedRegistry | readonly never[] | null | undefined,
): value is PushgatewayOptions {
  return value !== undefined && value !== null && !Array.isArray(value) && !isPushed(value);
}

function isPushed(value: unknown): value is PushedRegistry {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { metrics?: unknown }).metrics === 'function'
  );
}

/** By its shape, as another copy of this package may have made it. */
function isPaged(registry: PushedRegistry): registry is Registry<RegistryContentType> {
  return typeof (registry as { page?: unknown }).page === 'function';
}

/** prom-client's names of types. */
export declare namespace Pushgateway {
  export type Parameters = PushParameters;
}
