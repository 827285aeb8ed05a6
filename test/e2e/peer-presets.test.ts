import { fileURLToPath } from 'node:url';
import type { MiddlewareOptions } from '@offloop/express';
import { expect } from 'chai';
import express from 'express5';
import { shapeOf } from '../express-adapter/presets/page-shape.js';
import { ServedMetrics, settled } from '../express-adapter/served-metrics.js';
import { useProcesses } from '../support/processes.js';
import { addRoutes, collectGarbage, PEER_EXAMPLES, sendRequests } from './peer-examples.js';

/** Those that `collectDefaultMetrics()` gives both; tests of its own compare them. */
const DEFAULT_METRIC = /^(# TYPE )?(shop_)?(process|nodejs)_(?!up|gc_(runs|pause|reclaimed))/;

describe('a preset beside the package that it is named after', function () {
  this.timeout(60_000);
  const start = useProcesses();
  const served = new ServedMetrics();
  afterEach(() => served.close());

  for (const [preset, examples] of Object.entries(PEER_EXAMPLES)) {
    for (const [index, options] of examples.entries()) {
      it(`shows its names, types, labels and buckets: ${preset}, example ${index + 1}`, async () => {
        const given = (preset === 'promster'
          ? { preset, options }
          : { preset, ...options }) as unknown as MiddlewareOptions;
        const own = served.make(given);
        const app = express();
        app.use(own.middleware(given) as express.RequestHandler);
        addRoutes(app);
        await sendRequests(await served.listen(app));
        await settled(own);
        collectGarbage();
        const page = Buffer.from(await own.render()).toString('utf8');
        const shape = comparableShape(page);
        const theirs = await pageOf(preset, index);
        expect(shape).to.deep.equal(comparableShape(theirs));
        expect(shape.length).to.be.greaterThan(20);
        expect(defaultsIn(page)).to.deep.equal(defaultsIn(theirs));
      });
    }
  }

  async function pageOf(peer: string, index: number): Promise<string> {
    const program = fileURLToPath(new URL('./programs/peer-page.js', import.meta.url));
    const { exitCode, stdout, stderr } = await start(process.execPath, [
      program,
      peer,
      String(index),
    ]).waitForEnd(30_000);
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  }
});

/** Some of each kind, under which prefix: whether they are there at all. */
function defaultsIn(page: string): string[] {
  const name = /^(?:shop_)?(?:process_cpu_seconds_total|nodejs_heap_size_used_bytes)(?= )/gm;
  return page.match(name) ?? [];
}

function comparableShape(page: string): string[] {
  return shapeOf(page).filter((line) => !DEFAULT_METRIC.test(line));
}
