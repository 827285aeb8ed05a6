// One contender's server, in a process of its own: `node middleware-server.js <express package> <contender>`.
import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { flush, getSnapshot, metricsMiddleware } from '@offloop/express';
import type { HttpSink } from '@offloop/express/internal/middleware/http-sink.js';
import { RequestObserver } from '@offloop/express/internal/middleware/request-observer.js';
import type express from 'express';
import type { RequestHandler } from 'express';
import { MemoryLoad } from './memory-load.js';

/** What the parent asks for: so many requests, made inside the process. */
export interface ServerOrder {
  readonly requestCount: number;
  /** Whether the contender takes part, or Express is bare. */
  readonly isOn: boolean;
  /** Whether the answer is to tell how many were counted, which costs time of its own. */
  readonly isCounted?: boolean;
}

/** What the parent is told, once the server listens and after each order. */
export interface ServerReport {
  /** CPU time of the main thread so far. */
  readonly cpuUs: number;
  /** Responses the contender has counted so far, where it can be asked. */
  readonly countedCount?: number | undefined;
}

/** A sink that does next to nothing, so that what is left is the observer. */
class CountingSink implements HttpSink {
  readonly seriesEpoch = 0;
  count = 0;
  inFlight = 0;
  durationSeconds = 0;
  #seriesCount = 0;

  seriesIdOf(): number {
    this.#seriesCount += 1;
    return this.#seriesCount;
  }

  record(_seriesId: number, durationSeconds: number): boolean {
    this.count += 1;
    this.durationSeconds += durationSeconds;
    return true;
  }

  requestStarted(): void {
    this.inFlight += 1;
  }

  requestEnded(): void {
    this.inFlight -= 1;
  }
}

const require = createRequire(import.meta.url);
const [, , expressPackage = 'express5', contender = 'bare'] = process.argv;
const createApp: typeof express = require(expressPackage);
const sink = new CountingSink();

const app = createApp();
app.use(middlewareOf(contender));
app.get('/version', (_req, res) => void res.json({ version: 1 }));
const users = createApp.Router();
users.get('/users/:id', (req, res) => void res.json({ id: req.params['id'] }));
app.use('/api', users);

const setOn = createSwitch(app);
const server = app.listen(0, '127.0.0.1', () => report());
// Connections idle while the other contenders have their turns.
server.keepAliveTimeout = 0;
const load = new MemoryLoad(server);
process.on('message', async ({ requestCount, isOn, isCounted }: ServerOrder) => {
  setOn(isOn);
  await load.send(requestCount, (index) => `/api/users/${index}`);
  report(isCounted === true ? await countedCount() : undefined);
});
process.on('disconnect', () => process.exit());

function report(countedCount?: number): void {
  const message: ServerReport = { cpuUs: mainThreadCpuUs(), countedCount };
  process.send?.(message);
}

async function countedCount(): Promise<number | undefined> {
  if (contender === 'observer alone') return sink.count;
  if (contender !== 'offloop') return undefined;
  await flush();
  return getSnapshot().totalRequests;
}

/** Takes the contender out of the process and puts it back: its layer, and what subscribes to ends of responses. */
function createSwitch(application: express.Express): (isOn: boolean) => void {
  const router: unknown = Reflect.get(application, '_router') ?? Reflect.get(application, 'router');
  if (!isRouter(router)) throw new TypeError('no router');
  const layers = [...router.stack];
  const withoutContender = layers.filter(({ name }) => name === 'query' || name === 'expressInit');
  withoutContender.push(...layers.slice(withoutContender.length + 1));
  const finish = channel('http.server.response.finish');
  const listed: unknown = Reflect.get(finish, '_subscribers');
  const subscribers = Array.isArray(listed) ? [...listed] : [];
  let wasOn = true;
  return (isOn) => {
    if (isOn === wasOn) return;
    wasOn = isOn;
    router.stack = isOn ? layers : withoutContender;
    for (const subscriber of subscribers) {
      if (isOn) finish.subscribe(subscriber);
      else finish.unsubscribe(subscriber);
    }
  };
}

function isRouter(value: unknown): value is { stack: { name: string }[] } {
  return typeof value === 'function' && 'stack' in value && Array.isArray(value.stack);
}

function middlewareOf(name: string): RequestHandler {
  // What any middleware costs: Express calls it and it calls on.
  if (name === 'empty layer') return (_req, _res, next) => next();
  if (name === 'express-prom-bundle') {
    return require('express-prom-bundle')({ includeMethod: true, includePath: true });
  }
  if (name === 'offloop') return metricsMiddleware();
  const observer = new RequestObserver(sink);
  return (req, res, next) => {
    observer.observe(req, res);
    next();
  };
}

/** Of the main thread where the platform tells, of the whole process (garbage collection's threads too) where it does not. */
function mainThreadCpuUs(): number {
  const threadCpuUsage: unknown = Reflect.get(process, 'threadCpuUsage');
  if (typeof threadCpuUsage === 'function') {
    const { user, system } = Reflect.apply(threadCpuUsage, process, []);
    return user + system;
  }
  try {
    // Its first number is the time on the CPU in nanoseconds.
    const path = `/proc/self/task/${process.pid}/schedstat`;
    return Number(readFileSync(path, 'utf8').split(' ')[0]) / 1_000;
  } catch {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
}
