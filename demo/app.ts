import { instrumentRoute, metricsMiddleware, metricsRouter } from '@offloop/express';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { type Preset, presetOptions } from './presets.js';
import { circuitBreakerRouter } from './routers/circuit-breakers.js';
import { gamesRouter } from './routers/games.js';
import { modelRouter } from './routers/models.js';
import { operationsRouter } from './routers/operations.js';
import { teamRouter } from './routers/teams.js';
import { troubleRouter } from './routers/trouble.js';

/** Often enough for a block of 200 ms to show in the lag, and still nothing beside the requests. */
const LAG_INTERVAL_MS = 100;

/**
 * The service that the demo measures: routers as they grow in any Express app, and two lines of offloop.
 *
 * @param preset Under whose metric names; default: offloop's own.
 */
export function createApp(preset?: Preset): Express {
  const app = express();
  app.disable('x-powered-by');

  // Stands first, so that looks at /health and /diagnostics are not counted among the service's own requests.
  app.use(metricsRouter({ metrics: false, internalMetrics: false }));
  // What serves the port answers while this thread is blocked, as it is by /blocking.
  app.use(
    metricsMiddleware({
      ...presetOptions(preset),
      eventLoop: { intervalMs: LAG_INTERVAL_MS },
      port: 0,
    }),
  );

  app.use(express.json());
  app.use(operationsRouter());
  app.use('/model', modelRouter());
  app.use('/circuit-breaker', circuitBreakerRouter());
  app.use(gamesRouter());
  app.use('/teams', teamRouter());
  app.use(troubleRouter());

  app.use((request, response) => {
    response.status(404).json({ error: `nothing at ${request.path}` });
  });
  // Wrapped, as only an error handler sees what all routes throw: errors are counted by class.
  app.use(instrumentRoute(answerError));
  return app;
}

/** Express tells an error handler from other middleware by its four parameters. */
const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = statusOf(error);
  response.status(status).json({ error: status < 500 ? String(error.message) : 'internal error' });
};

/** Express's own errors (a malformed URL, a body that is no JSON) carry a status of 4xx. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status <= 599 ? status : 500;
}
