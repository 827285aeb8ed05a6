import type { ServerResponse } from 'node:http';
import { negotiateEncoding, negotiateFormat, type Page } from '@offloop/core';
import type { Metrics } from '../metrics.js';
import { answer, answerUnavailable, type RoutedMessage } from './http-handler.js';
import { scrapeTimeoutMs } from './scrape-timeout.js';

/** What decides which page a request gets: a cache must not give one client's page to another. */
const DECIDING_HEADERS = 'Accept, Accept-Encoding';

/**
 * The page for a scraper, in the format and encoding that it asks for; the main loop only passes its bytes on. Answers 503 while
 * the scraper still listens where the page takes too long, and nothing once the client has left. Never throws.
 */
export function scrape(metrics: Metrics, request: RoutedMessage, response: ServerResponse): void {
  const { headers } = request;
  const { format, escaping, contentType } = negotiateFormat(headers.accept);
  const encoding = negotiateEncoding(joined(headers['accept-encoding']));
  const names = chosenNames(request.url ?? '');
  const timeoutMs = scrapeTimeoutMs(joined(headers['x-prometheus-scrape-timeout-seconds']));

  let isOver = false;
  const end = (write: () => void): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    write();
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const reason = `it was not ready after ${timeoutMs} ms, and the scraper gives up soon`;
          end(() => answerUnavailable(request, response, reason));
        }, timeoutMs).unref();
  response.once('close', () => end(() => {}));

  const chosen = names === undefined ? {} : { names };
  metrics.renderPage({ format, escaping, encoding, ...chosen }).then(
    (page) => end(() => answerPage(request, response, { page, contentType })),
    (error: unknown) => end(() => answerUnavailable(request, response, error)),
  );
}

function answerPage(
  request: RoutedMessage,
  response: ServerResponse,
  { page, contentType }: { readonly page: Page; readonly contentType: string },
): void {
  if (!response.headersSent) {
    // Middleware before this one may have put its own there, as cors() does.
    const before = joined(response.getHeader('Vary'));
    response.setHeader('Vary', before ? `${before}, ${DECIDING_HEADERS}` : DECIDING_HEADERS);
    if (page.encoding !== 'identity') response.setHeader('Content-Encoding', page.encoding);
  }
  answer(request, response, { status: 200, type: contentType, body: page.bytes });
}

/** Values of `name[]` in a URL's query, escaped or not; `undefined` where there is none. */
function chosenNames(url: string): string[] | undefined {
  const query = url.indexOf('?');
  if (query === -1) return undefined;
  const names = new URLSearchParams(url.slice(query)).getAll('name[]');
  return names.length === 0 ? undefined : names;
}

function joined(value: number | string | readonly string[] | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : value.join(', ');
}
