import type { Family, Recorder } from '@offloop/core';
import type { BegunRequest, EndedRequest, RequestExtras } from './ended-request.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import type { RequestLabelSet, RequestLabels } from './request-labels.js';
import { read } from './unknown-value.js';

/** One value of each request, and the families that observe it under the request's labels. */
export interface RequestMeasure {
  readonly families: readonly Family[];
  /** In the families' unit; `undefined` where the request has none. */
  readonly measure: (ended: EndedRequest) => number | undefined;
}

/** Everything that is measured beside the middleware's own three metrics. */
export interface RequestMeasuresOptions {
  readonly labels: RequestLabels;
  readonly measures: readonly RequestMeasure[];
  readonly recorder: Pick<Recorder, 'record' | 'stamp'>;
  readonly needsSentBytes: boolean;
  readonly needsHead: boolean;
  /** Whether a request is to be counted nowhere. */
  readonly leavesOut?:
    | ((ended: EndedRequest, labels: () => RequestLabelSet) => unknown)
    | undefined;
}

/** Records further values of each request, under labels of its own. Compiled once from the options; where these ask for nothing, there is none. */
export class RequestMeasures implements RequestExtras {
  readonly #options: RequestMeasuresOptions;
  readonly #needsBegin: boolean;

  constructor(options: RequestMeasuresOptions) {
    this.#options = options;
    this.#needsBegin = options.needsSentBytes || options.needsHead;
  }

  begin(request: RoutedRequest, response: HttpResponse): BegunRequest | undefined {
    if (!this.#needsBegin) return undefined;
    const { needsSentBytes, needsHead } = this.#options;
    const begun: BegunRequest = { sentBytes: -1, headMs: -1 };
    // A pipelined response has its socket when the one before it is sent.
    if (needsSentBytes && read(response, 'socket') === request.socket) {
      const sent = read(request.socket, 'bytesWritten');
      if (typeof sent === 'number') begun.sentBytes = sent;
    }
    if (needsHead) watchHead(response, begun);
    return begun;
  }

  end(ended: EndedRequest): boolean {
    const { labels, measures, recorder, leavesOut } = this.#options;
    try {
      let known: RequestLabelSet | undefined;
      const labelsOf = (): RequestLabelSet => {
        known ??= labels.of(ended);
        return known;
      };
      if (leavesOut?.(ended, labelsOf)) return false;
      if (measures.length === 0) return true;
      const values = labels.valuesOf(labelsOf());
      // For the windows of summaries.
      recorder.stamp(ended.startedMs + ended.durationSeconds * MS_PER_SECOND);
      for (const { families, measure } of measures) {
        const value = measure(ended);
        if (value === undefined) continue;
        for (const family of families) recorder.record(family.seriesByValues(values), value);
      }
    } catch {
      // What the options say of it is not known; the request itself counts.
    }
    return true;
  }
}

const MS_PER_SECOND = 1_000;

/** Notes when the head of the response is written. Node publishes nothing of it, so the method that writes it is wrapped for this one response. */
function watchHead(response: HttpResponse, begun: BegunRequest): void {
  const writeHead = read(response, 'writeHead');
  if (typeof writeHead !== 'function') return;
  Object.defineProperty(response, 'writeHead', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: function writeHeadNoted(this: unknown, ...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(writeHead, this, args);
      if (begun.headMs < 0) begun.headMs = performance.now();
      return result;
    },
  });
}
