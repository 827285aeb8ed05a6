import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as promster from '@promster/metrics';
import express from 'express5';
import prom from 'prom-client';
import { addRoutes, collectGarbage, PEER_EXAMPLES, sendRequests } from '../peer-examples.js';

// Prints what a package shows after the requests of an example: `node peer-page.js promster 0`. In a process of its own, as these packages keep
// to one registry, one timer and one set of options a process.
const [peer = '', index = ''] = process.argv.slice(2);
const options = PEER_EXAMPLES[peer as keyof typeof PEER_EXAMPLES][Number(index)] ?? {};
const require = createRequire(import.meta.url);

const app = express();
app.use(peer === 'promster' ? promsterMiddleware() : require(peer)(options));
addRoutes(app);
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
await sendRequests((server.address() as AddressInfo).port);
collectGarbage();
// promster takes what V8 has counted by a timer.
await delay(200);
process.stdout.write(await prom.register.metrics(), () => process.exit());

/** As its middleware for Express does it, of which there is none for this release of the metrics. */
function promsterMiddleware(): express.RequestHandler {
  const { defaultNormalizers } = promster;
  const all = { ...defaultNormalizers, gcCollectionInterval: 50, ...options } as never;
  const http = promster.createHttpMetrics(all);
  const gc = promster.createGcMetrics(all);
  promster.createGcObserver(gc, all)();
  const record = promster.createRequestRecorder(http, all);
  const { normalizeMethod, normalizePath, normalizeStatusCode, getLabelValues } =
    all as PromsterFunctions;
  return (req, res, next) => {
    const timing = promster.timing.start();
    res.on('finish', () => {
      record(timing, {
        labels: {
          method: normalizeMethod(req.method, { req, res }),
          status_code: normalizeStatusCode(res.statusCode, { req, res }),
          path: normalizePath(req.originalUrl, { req, res }),
          ...getLabelValues?.(req, res),
        },
        requestContentLength: Number(req.headers['content-length'] ?? 0),
        responseContentLength: Number(res.getHeader('content-length') ?? 0),
      } as never);
    });
    next();
  };
}

interface PromsterFunctions {
  normalizeMethod(method: string, about: object): unknown;
  normalizePath(path: string, about: object): unknown;
  normalizeStatusCode(status: number, about: object): unknown;
  getLabelValues?(req: object, res: object): object;
}
