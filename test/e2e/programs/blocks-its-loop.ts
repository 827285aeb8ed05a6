import { execSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { Counter } from '@offloop/core';
import { getMetrics } from '@offloop/express';

// Serves the off-loop port and, when it is told to, blocks its main thread in one way for so long, or longer.
const BLOCK_MS = Number(process.argv[2]);

const WAYS: Readonly<Record<string, () => void>> = {
  'busy loop': () => {
    for (const end = performance.now() + BLOCK_MS; performance.now() < end; );
  },
  'catastrophic regex': () => {
    // Doubles with each letter, so that it ends soon after its time on any machine.
    const endMs = performance.now() + BLOCK_MS;
    for (let length = 24; performance.now() < endMs; length++) {
      /^(a+)+$/.test(`${'a'.repeat(Math.min(length, 27))}!`);
    }
  },
  'Atomics.wait': () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
  },
  execSync: () => {
    execSync(`sleep ${BLOCK_MS / 1000}`);
  },
  pbkdf2Sync: () => {
    for (const end = performance.now() + BLOCK_MS; performance.now() < end; )
      pbkdf2Sync('password', 'salt', 200_000, 64, 'sha512');
  },
};

const metrics = getMetrics({ port: 0, engine: 'pool' });
new Counter({ name: 'blocks_total', help: 'h' }).inc(0);
const address = await metrics.portAddress();
process.on('message', (way: string) => {
  if (way === 'end') {
    process.disconnect();
    return;
  }
  process.send?.({ kind: 'blocks' });
  // When the word is out.
  setTimeout(() => {
    const startedMs = Date.now();
    WAYS[way]?.();
    process.send?.({ kind: 'is back', startedMs, endedMs: Date.now() });
  }, 100);
});
process.send?.({ kind: 'listens', port: address?.port });
