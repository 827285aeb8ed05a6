import type { ServerResponse } from 'node:http';
import {
  negotiateEncoding,
  negotiateFormat,
  type PageReader,
  type PageRequest,
} from '@offloop/core/engine';
import type { RoutedMessage } from './http-answer.js';
import { PageResponse } from './page-response.js';
import { scrapeTimeoutMs } from './scrape-timeout.js';

/** What has pages: the metrics on the main thread, or the off-loop port on its thread. */
export interface PageSource {
  /** Gives a page chunk by chunk; what goes wrong comes to the reader. @returns What the reader calls when it wants no more of it. */
  streamPage(page: PageRequest, reader: PageReader): () => void;
}

/**
 * The page for a scraper, in the format and encoding that it asks for; this thread only passes its bytes on. Answers 503 while
 * the scraper still listens where the page takes too long to begin, and nothing once the client has left: then rendering stops, if nobody
 * else waits for the same page. Never throws.
 */
export function scrape(source: PageSource, request: RoutedMessage, response: ServerResponse): void {
  const { headers } = request;
  const { format, escaping, contentType } = negotiateFormat(headers.accept);
  const encoding = negotiateEncoding(joined(headers['accept-encoding']));
  const names = chosenNames(request.url ?? '');
  const timeoutMs = scrapeTimeoutMs(joined(headers['x-prometheus-scrape-timeout-seconds']));

  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => {};
  const leave = (): void => {
    clearTimeout(timer);
    stop();
  };
  const page = new PageResponse(request, { response, contentType, leave });
  if (timeoutMs !== undefined) {
    timer = setTimeout(() => {
      page.refuse(`it was not ready after ${timeoutMs} ms, and the scraper gives up soon`);
    }, timeoutMs).unref();
  }
  const chosen = names === undefined ? {} : { names };
  stop = source.streamPage({ format, escaping, encoding, ...chosen }, page);
}

/** Values of `name[]` in a URL's query, escaped or not; `undefined` where there is none. */
function chosenNames(url: string): string[] | undefined {
  const query = url.indexOf('?');
  if (query === -1) return undefined;
  const names = new URLSearchParams(url.slice(query)).getAll('name[]');
  return names.length === 0 ? undefined : names;
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
