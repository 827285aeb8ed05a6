import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { close, flush, getMetrics, getSnapshot } from '@offloop/express';
import { createApp } from './app.js';
import type { DemoChoice } from './arguments.js';
import { serveLiveScores } from './live-scores.js';
import { stopRequest } from './stop-request.js';
import { LiveLine } from './terminal/live-line.js';
import { summaryText } from './terminal/summary.js';
import { TrafficProcess } from './traffic/traffic-process.js';

const HOST = '127.0.0.1';
const LINE_MS = 1_000;

/** Runs app, traffic and terminal until somebody or something ends it. @returns The process's exit code. */
export async function runDemo({ seconds, rate, port, preset }: DemoChoice): Promise<number> {
  const server = createServer(createApp(preset));
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
  } catch (error) {
    process.stderr.write(`Cannot listen on port ${port} of ${HOST}: ${messageOf(error)}\n`);
    await close();
    return 1;
  }
  const origin = originOf(server);
  const endLiveScores = serveLiveScores(server);
  const offLoop = await getMetrics().portAddress();
  const traffic = rate === 0 ? undefined : new TrafficProcess(origin, rate);
  // Before a word is printed: whoever reads that the app is there may press Ctrl-C in the same moment.
  const stopping = stopRequest({ seconds, failed: traffic?.ended ?? new Promise(() => {}) });
  print(introduction({ origin, offLoopPort: offLoop?.port, rate, traffic }));

  const liveLine = new LiveLine(performance.now());
  const printLine = () => print(liveLine.next(getSnapshot(), performance.now()));
  const timer = setInterval(printLine, LINE_MS);
  const reason = await stopping;
  clearInterval(timer);
  // The timer drifts: without this the line of the last second is lost whenever the end comes first.
  if (liveLine.elapsedMs(performance.now()) > LINE_MS / 2) printLine();

  // In this order every request is answered, and every answer measured, before the last numbers are read.
  const report = await traffic?.stop();
  endLiveScores();
  await closeServer(server);
  await flush();
  print(`\n${summaryText(getSnapshot(), report)}`);
  await close();
  if (reason === 'failed') process.stderr.write('The traffic process ended before its time.\n');
  return reason === 'failed' ? 1 : 0;
}

function introduction(of: {
  readonly origin: string;
  readonly offLoopPort: number | undefined;
  readonly rate: number;
  readonly traffic: TrafficProcess | undefined;
}): string {
  const { origin, offLoopPort, rate, traffic } = of;
  const { engine } = getMetrics().health();
  const sender =
    traffic === undefined
      ? 'none, as --rate 0 asks for'
      : `process ${traffic.pid}, ${rate} requests a second`;
  return [
    'An Express app, measured by offloop. Ctrl-C ends it.',
    '',
    `  app          ${origin}/status`,
    `  scrape       ${origin}/metrics`,
    `               ${origin}/internal/metrics`,
    `               http://${HOST}:${offLoopPort}/metrics, also while the app is blocked`,
    `  to block it  ${origin}/blocking?ms=5000`,
    `  diagnostics  ${origin}/diagnostics/metrics`,
    `  health       ${origin}/health`,
    `  engine       ${engine}`,
    `  traffic      ${sender}`,
    '',
    `Requests are those of the last second; percentiles and lag are of the window, ${getSnapshot().window.seconds} s.`,
    '',
  ].join('\n');
}

function originOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return `http://${HOST}:${address.port}`;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // The traffic process has gone; what is left are browsers that keep a connection for later.
  server.closeAllConnections();
  await closed;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
