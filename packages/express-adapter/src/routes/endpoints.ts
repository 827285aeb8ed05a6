import type { ServerResponse } from 'node:http';
import { type Snapshot, snapshotToJson } from '@offloop/core';
import { isServing, performanceOf } from '@offloop/core/adapter';
import { answerJson, answerUnavailable, type RoutedMessage } from '@offloop/worker/http';
import type { Metrics } from '../metrics.js';

/** What answers one path. Never throws, and never rejects. */
export type Endpoint = (metrics: Metrics, request: RoutedMessage, response: ServerResponse) => void;

/** The raw snapshot, everything recorded before the call included. */
export function diagnostics(
  metrics: Metrics,
  request: RoutedMessage,
  response: ServerResponse,
): void {
  answerSnapshot((snapshot) => snapshot, { metrics, request, response });
}

/** Latency, loop lag and throughput of the same snapshot. */
export function servicePerformance(
  metrics: Metrics,
  request: RoutedMessage,
  response: ServerResponse,
): void {
  answerSnapshot(performanceOf, { metrics, request, response });
}

/** For a load balancer: small, read from shared memory at once, and 503 while no requests should come. */
export function health(metrics: Metrics, request: RoutedMessage, response: ServerResponse): void {
  const report = metrics.health();
  answerJson(request, response, { status: isServing(report) ? 200 : 503, json: report });
}

/** The same status with everything that led to it, everything recorded before the call included. */
export function healthExtended(
  metrics: Metrics,
  request: RoutedMessage,
  response: ServerResponse,
): void {
  metrics.flush().then(
    () => {
      const report = metrics.extendedHealth();
      answerJson(request, response, { status: isServing(report) ? 200 : 503, json: report });
    },
    (error: unknown) => answerUnavailable(request, response, error),
  );
}

function answerSnapshot(
  part: (snapshot: Snapshot) => Partial<Snapshot>,
  { metrics, request, response }: EndpointCall,
): void {
  metrics.flush().then(
    () => {
      const json = snapshotToJson(part(metrics.getSnapshot()));
      answerJson(request, response, { status: 200, json });
    },
    (error: unknown) => answerUnavailable(request, response, error),
  );
}

interface EndpointCall {
  readonly metrics: Metrics;
  readonly request: RoutedMessage;
  readonly response: ServerResponse;
}
