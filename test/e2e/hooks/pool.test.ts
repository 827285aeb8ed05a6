import { CacheMetricsHook, createMetrics } from '@offloop/express';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';

const CALLS = 20_000;

describe('hooks with the pool thread', function () {
  this.timeout(20_000);

  it('have every call on the page and in the snapshot', async () => {
    const metrics = createMetrics({ engine: 'pool', eventLoop: { enabled: false } });
    const cache = new Map([['a', 1]]);
    CacheMetricsHook.hook(cache, { name: 'c', register: metrics.register });
    for (let call = 0; call < CALLS; call++) cache.get(call % 4 === 0 ? 'missing' : 'a');
    const families = parseExposition(Buffer.from(await metrics.render()).toString());
    const sampleOf = (name: string): number | undefined =>
      families.flatMap(({ samples }) => samples).find((sample) => sample.name === name)?.value;
    expect(sampleOf('cache_hits_total')).to.equal((CALLS * 3) / 4);
    expect(sampleOf('cache_misses_total')).to.equal(CALLS / 4);
    expect(sampleOf('cache_operation_duration_seconds_count')).to.equal(CALLS);
    const { cache: shown, pipeline } = metrics.getSnapshot();
    expect(shown).to.include({ hits: (CALLS * 3) / 4, misses: CALLS / 4, hitRate: 0.75 });
    expect(shown.caches.map(({ name }) => name)).to.deep.equal(['c']);
    expect(pipeline.droppedRecords).to.equal(0);
    await metrics.close();
  });
});
