import { Router } from 'express';

/** How long the breaker stays open, and how long closed, in turn. */
const PHASE_MS = 5_000;

/** State of the breakers that guard what the service calls. */
export function circuitBreakerRouter(): Router {
  const router = Router();
  router.get('/ollama', (_request, response) => {
    const isOpen = Math.floor(Date.now() / PHASE_MS) % 2 === 1;
    response.json({ breaker: 'ollama', state: isOpen ? 'open' : 'closed' });
  });
  return router;
}
