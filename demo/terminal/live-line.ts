import type { Snapshot } from '@offloop/express';
import { countText, msText, percentText } from './number-text.js';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly text: (moment: Moment) => string;
}

interface Moment {
  readonly elapsedMs: number;
  readonly requestsPerSecond: number;
  readonly snapshot: Snapshot;
}

const COLUMNS: readonly Column[] = [
  { title: 'time', width: 6, text: ({ elapsedMs }) => clockText(elapsedMs) },
  { title: 'req/s', width: 7, text: ({ requestsPerSecond }) => countText(requestsPerSecond) },
  { title: 'in flight', width: 11, text: ({ snapshot }) => countText(snapshot.requestsInFlight) },
  { title: 'p50 ms', width: 9, text: ({ snapshot }) => msText(snapshot.p50LatencyMs) },
  { title: 'p95 ms', width: 9, text: ({ snapshot }) => msText(snapshot.p95LatencyMs) },
  { title: 'p99 ms', width: 9, text: ({ snapshot }) => msText(snapshot.p99LatencyMs) },
  { title: 'lag avg ms', width: 12, text: ({ snapshot }) => msText(snapshot.eventLoop.avgLagMs) },
  { title: 'lag p95 ms', width: 12, text: ({ snapshot }) => msText(snapshot.eventLoop.p95LagMs) },
  { title: 'ring fill', width: 11, text: ({ snapshot }) => percentText(ringFill(snapshot)) },
  { title: 'drops', width: 7, text: ({ snapshot }) => countText(snapshot.pipeline.droppedRecords) },
];

/** So many lines below a header it has scrolled out of sight on a small terminal. */
const LINES_PER_HEADER = 20;

/**
 * One line a second of what offloop knows. Requests a second are the difference to the line before; percentiles and lag
 * are those of the sliding window.
 */
export class LiveLine {
  readonly #startedMs: number;
  #lastMs: number;
  #lastRequests = 0;
  #lineCount = 0;

  /** @param startedMs Clock of `next`, as the first request may come. */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
    this.#lastMs = startedMs;
  }

  /** Since the last line, or the start. */
  elapsedMs(nowMs: number): number {
    return nowMs - this.#lastMs;
  }

  /** The text of the next second, with a header above it where one is due. */
  next(snapshot: Snapshot, nowMs: number): string {
    const elapsedSeconds = this.elapsedMs(nowMs) / 1_000;
    const requests = snapshot.totalRequests - this.#lastRequests;
    const line = lineOf({
      elapsedMs: nowMs - this.#startedMs,
      requestsPerSecond: elapsedSeconds > 0 ? Math.round(requests / elapsedSeconds) : 0,
      snapshot,
    });
    const isHeaderDue = this.#lineCount % LINES_PER_HEADER === 0;
    this.#lineCount += 1;
    this.#lastMs = nowMs;
    this.#lastRequests = snapshot.totalRequests;
    return isHeaderDue ? `${this.#lineCount === 1 ? '' : '\n'}${header()}\n${line}` : line;
  }
}

function header(): string {
  return COLUMNS.map(({ title, width }) => title.padStart(width)).join('');
}

function lineOf(moment: Moment): string {
  return COLUMNS.map(({ width, text }) => text(moment).padStart(width)).join('');
}

function ringFill({ pipeline }: Snapshot): number {
  return pipeline.backlogRecords / pipeline.capacityRecords;
}

/** Minutes and seconds, `02:05`. */
function clockText(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1_000);
  return [Math.floor(seconds / 60), seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}
