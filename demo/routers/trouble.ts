import { setTimeout as delay } from 'node:timers/promises';
import { Router } from 'express';

const FAILING_SHARE = 0.25;
const SLOW_MS_MIN = 300;
const SLOW_MS_MAX = 800;
const BLOCK_MS = 200;
/** Long enough to look at the off-loop port meanwhile. */
const BLOCK_MS_MAX = 10_000;

/** What goes wrong in any service sooner or later. */
export function troubleRouter(): Router {
  const router = Router();
  // Express 5 hands a rejection to the error handler, which answers 500.
  router.get('/flaky', async (_request, response) => {
    if (Math.random() < FAILING_SHARE) {
      throw Object.assign(new Error('the payment provider hung up'), { code: 'ECONNRESET' });
    }
    response.json({ isPaid: true });
  });
  router.get('/slow', async (_request, response) => {
    await delay(SLOW_MS_MIN + Math.random() * (SLOW_MS_MAX - SLOW_MS_MIN));
    response.json({ rows: 1_000 });
  });
  router.get('/blocking', (request, response) => {
    const askedMs = Number(request.query['ms'] ?? BLOCK_MS);
    const durationMs = askedMs <= BLOCK_MS_MAX ? askedMs : BLOCK_MS;
    response.json({ checksum: computeFor(durationMs) });
  });
  return router;
}

/** Stands for a sort, a template or a hash that takes too long on the main thread: nothing else runs meanwhile. */
function computeFor(durationMs: number): number {
  const endMs = performance.now() + durationMs;
  let checksum = 0;
  while (performance.now() < endMs) checksum = (checksum * 31 + 7) | 0;
  return checksum;
}
