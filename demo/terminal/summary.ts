import type { RouteSnapshot, Snapshot } from '@offloop/express';
import type { TrafficReport } from '../traffic/messages.js';
import { countText, msText } from './number-text.js';

const HEADER = ['method', 'route', 'requests', 'errors', 'p50 ms', 'p95 ms', 'p99 ms'] as const;
/** Method and route are texts, which begin at the left; what follows are numbers. */
const TEXT_COLUMN_COUNT = 2;

/** A table of the routes, most requested first, and the books of the pipeline. */
export function summaryText(snapshot: Snapshot, traffic: TrafficReport | undefined): string {
  const { pipeline, websocket } = snapshot;
  const routes = [...snapshot.routes].sort((one, other) => other.requests - one.requests);
  const total = ['', 'all routes', ...numbersOf({ ...snapshot, ...sumsOf(routes) })];
  const lines = [
    ...alignedLines([[...HEADER], ...routes.map(rowOf), total]),
    '',
    `Records: ${countText(pipeline.offeredRecords)} offered = ${countText(pipeline.recordedRecords)} recorded + ${countText(pipeline.droppedRecords)} dropped; ` +
      `${countText(pipeline.aggregatedRecords)} aggregated, ${countText(pipeline.backlogRecords)} in the ring`,
  ];
  for (const { name, hits, misses } of snapshot.cache.caches) {
    lines.push(`Cache ${name}: ${countText(hits)} hits, ${countText(misses)} misses`);
  }
  const read = traffic === undefined ? '' : `, ${countText(traffic.messages)} read`;
  lines.push(
    `WebSockets: ${countText(websocket.connections)} connections, ${countText(websocket.messagesSent)} messages sent${read}`,
  );
  if (traffic !== undefined) {
    const failures = traffic.failures === 0 ? '' : `, and ${countText(traffic.failures)} failed`;
    lines.push(
      `Traffic: ${countText(traffic.answers)} answers read${failures}; ${countText(snapshot.totalRequests)} requests measured`,
    );
  }
  return lines.join('\n');
}

function rowOf(route: RouteSnapshot): string[] {
  return [route.method, route.route, ...numbersOf(route)];
}

function numbersOf(
  row: Pick<
    RouteSnapshot,
    'requests' | 'errors' | 'p50LatencyMs' | 'p95LatencyMs' | 'p99LatencyMs'
  >,
): string[] {
  return [
    countText(row.requests),
    countText(row.errors),
    msText(row.p50LatencyMs),
    msText(row.p95LatencyMs),
    msText(row.p99LatencyMs),
  ];
}

function sumsOf(routes: readonly RouteSnapshot[]): { requests: number; errors: number } {
  return {
    requests: routes.reduce((sum, { requests }) => sum + requests, 0),
    errors: routes.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADER.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < TEXT_COLUMN_COUNT ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
