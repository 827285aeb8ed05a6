// Records, and ends in one of the ways in which a process can: `node ends.js <engine> <route>`. What the final exporter gets is printed.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Counter, createMetrics } from '@offloop/express';
import { onExit } from 'signal-exit';

/** It has no types. */
const onExit3 = createRequire(import.meta.url)('signal-exit3') as (listener: () => void) => void;

const RECORDS = 12_345;

const [, , engine = '', route = ''] = process.argv;
const metrics = createMetrics({
  engine: engine === 'booting' ? 'pool' : (engine as 'pool' | 'inline'),
});
/** What else listens, and did so before. */
const BEFORE: Readonly<Record<string, () => void>> = {
  'SIGTERM that is handled once': handleSigterm,
  'SIGTERM beside signal-exit': () => void onExit(() => {}),
  'SIGTERM beside both signal-exits': listenTwice,
};
const jobs = new Counter({
  name: 'jobs_total',
  help: 'Jobs done.',
  registers: [metrics.register],
});
BEFORE[route]?.();
metrics.onExit(({ end, isWhole, snapshot, renderPage }) => {
  const page = Buffer.from(renderPage()).toString();
  writeSync(
    1,
    `${JSON.stringify({
      end,
      isWhole,
      backlog: snapshot.pipeline.backlogRecords,
      jobs: Number(/^jobs_total (.*)$/m.exec(page)?.[1]),
    })}\n`,
  );
  if (route === 'exporter that throws') throw new Error('no disk');
  if (route === 'exporter that throws what cannot be shown') throw Object.create(null);
});
// A pool thread that is at work, or one that boots.
if (engine === 'pool') await metrics.flush();

const ROUTES: Readonly<Record<string, () => void>> = {
  'natural end': () => {},
  'natural end with a code': () => {
    process.exitCode = 3;
  },
  'process.exit': () => process.exit(4),
  SIGTERM: () => stayUntil('SIGTERM'),
  SIGINT: () => stayUntil('SIGINT'),
  'SIGTERM that is handled': () => {
    handleSigterm();
    stayUntil('SIGTERM');
  },
  'SIGTERM that is handled once': () => stayUntil('SIGTERM'),
  'SIGTERM beside signal-exit': () => stayUntil('SIGTERM'),
  'SIGTERM beside a later signal-exit': () => {
    listenTwice();
    stayUntil('SIGTERM');
  },
  'SIGTERM beside both signal-exits': () => stayUntil('SIGTERM'),
  'uncaught exception': () => {
    throw new Error('nobody catches this');
  },
  'unhandled rejection': () => {
    void Promise.reject(new Error('nobody handles this'));
  },
  'exporter that throws': () => process.exit(6),
  'exporter that throws what cannot be shown': () => process.exit(7),
  closed: () => {
    void metrics.close();
  },
};
setTimeout(() => {
  // Just before the end, so that all of it is in the ring.
  for (let count = 0; count < RECORDS; count++) jobs.inc();
  ROUTES[route]?.();
}, 10);

function handleSigterm(): void {
  process.once('SIGTERM', () => {
    setTimeout(() => process.exit(5), 20);
  });
}

/** By both generations of the package, which know of each other. */
function listenTwice(): void {
  onExit3(() => {});
  onExit(() => {});
}

function stayUntil(signal: NodeJS.Signals): void {
  setInterval(() => {}, 1_000);
  process.kill(process.pid, signal);
}
