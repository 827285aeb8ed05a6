// Records, and ends in one of the ways in which a process can: `node ends.js <engine> <route>`. What the final exporter gets is printed.
import { writeSync } from 'node:fs';
import { Counter, createMetrics } from '@offloop/express';

const RECORDS = 12_345;

const [, , engine = '', route = ''] = process.argv;
const metrics = createMetrics({
  engine: engine === 'booting' ? 'pool' : (engine as 'pool' | 'inline'),
});
const jobs = new Counter({
  name: 'jobs_total',
  help: 'Jobs done.',
  registers: [metrics.register],
});
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
    process.once('SIGTERM', () => {
      setTimeout(() => process.exit(5), 20);
    });
    stayUntil('SIGTERM');
  },
  'uncaught exception': () => {
    throw new Error('nobody catches this');
  },
  'unhandled rejection': () => {
    void Promise.reject(new Error('nobody handles this'));
  },
  'exporter that throws': () => process.exit(6),
  closed: () => {
    void metrics.close();
  },
};
setTimeout(() => {
  // Just before the end, so that all of it is in the ring.
  for (let count = 0; count < RECORDS; count++) jobs.inc();
  ROUTES[route]?.();
}, 10);

function stayUntil(signal: NodeJS.Signals): void {
  setInterval(() => {}, 1_000);
  process.kill(process.pid, signal);
}
