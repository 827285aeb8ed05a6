import type { ServerResponse } from 'node:http';
import { snapshotToJson, TEXT_CONTENT_TYPE } from '@offloop/core';
import type { Metrics } from '../metrics.js';
import { answer, answerJson, type RoutedMessage } from './http-handler.js';

/** What answers one path. Never throws, and never rejects. */
export type Endpoint = (metrics: Metrics, request: RoutedMessage, response: ServerResponse) => void;

/** The page for a scraper; the main loop only passes its bytes on. */
export function scrape(metrics: Metrics, request: RoutedMessage, response: ServerResponse): void {
  metrics.render().then(
    (body) => answer(request, response, { status: 200, type: TEXT_CONTENT_TYPE, body }),
    (error: unknown) => answerUnavailable(request, response, error),
  );
}

/** The raw snapshot, everything recorded before the call included. */
export function diagnostics(
  metrics: Metrics,
  request: RoutedMessage,
  response: ServerResponse,
): void {
  metrics.flush().then(
    () =>
      answerJson(request, response, { status: 200, json: snapshotToJson(metrics.getSnapshot()) }),
    (error: unknown) => answerUnavailable(request, response, error),
  );
}

/** For a load balancer: small, read from shared memory at once, and 503 once the metrics are closed. */
export function health(metrics: Metrics, request: RoutedMessage, response: ServerResponse): void {
  const report = metrics.health();
  answerJson(request, response, { status: report.status === 'ok' ? 200 : 503, json: report });
}

function answerUnavailable(request: RoutedMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) return;
  const reason = error instanceof Error ? error.message : String(error);
  answer(request, response, {
    status: 503,
    type: 'text/plain; charset=utf-8',
    body: Buffer.from(`offloop: the page could not be made: ${reason}\n`),
  });
}
