import { setImmediate as turn } from 'node:timers/promises';
import { Counter, Histogram, Pipeline, Registry } from '@offloop/core';
import { REUSE_COUNT } from '@offloop/core/internal/layout/control-block.js';
import { createEngine } from '@offloop/express';
import { expect } from 'chai';
import { chooseSeed, randomFrom } from '../contract/test-segment.js';
import { parseExposition } from '../support/exposition-parser.js';
import { ThreadKiller } from './thread-killer.js';

const seed = chooseSeed();
const KILLS = 25;
const REUSES_MIN = 50;
const LABELS = 40;
const STEPS_A_TURN = 200;

describe(`series that are removed and added again while pages are read and threads die (seed ${seed})`, function () {
  this.timeout(120_000);

  it('never show another’s numbers, and every count is exact', async () => {
    const random = randomFrom(seed);
    const pipeline = new Pipeline();
    pipeline.configure(
      { memory: { maxSeries: 1_024 }, ring: { capacityRecords: 65_536 } },
      ({ segment, recorder }) =>
        createEngine({
          segment,
          recorder,
          mode: 'pool',
          logger: { warn: () => {}, error: () => {} },
        }),
    );
    const registry = new Registry(pipeline);
    const config = { help: 'h', labelNames: ['a'] as const, registers: [registry] };
    const total = new Counter({ ...config, name: 'churn_total' });
    const histogram = new Histogram({ ...config, name: 'churn_seconds', buckets: [4, 16, 32] });
    const kept = new Counter({ name: 'kept_total', help: 'h', registers: [registry] });
    const { segment } = pipeline.producer;
    const killer = new ThreadKiller(segment, random);
    const children = Array.from({ length: LABELS }, (_, label) => ({
      total: total.labels(String(label)),
      seconds: histogram.labels(String(label)),
    }));
    const expected = new Array<number | undefined>(LABELS).fill(0);
    let keptCount = 0;
    let keptSeen = 0;
    let churned = 0;

    const step = (): void => {
      const label = Math.floor(random() * LABELS);
      if (random() < 0.5) {
        total.remove(String(label));
        histogram.remove({ a: String(label) });
        expected[label] = undefined;
        churned++;
      } else {
        const child = children[label] as (typeof children)[number];
        child.total.inc(label + 1);
        // Only this label has this value, so a sum of anything else shows.
        child.seconds.observe(label + 1);
        expected[label] = (expected[label] ?? 0) + 1;
      }
      kept.inc();
      keptCount++;
    };

    const check = async (isStill: boolean): Promise<void> => {
      const families = parseExposition(await registry.metrics());
      const page = new Map(
        families.flatMap(({ samples }) =>
          samples.map(({ name, labels, value }) => [`${name} ${[...labels].join(' ')}`, value]),
        ),
      );
      const keptNow = page.get('kept_total ') as number;
      expect(keptNow).to.be.at.least(keptSeen);
      keptSeen = keptNow;
      if (isStill) expect(keptNow).to.equal(keptCount);
      for (let label = 0; label < LABELS; label++) {
        const sum = page.get(`churn_seconds_sum a,${label}`);
        const count = page.get(`churn_seconds_count a,${label}`);
        const added = page.get(`churn_total a,${label}`);
        if (sum !== undefined) expect(sum, `sum of ${label}`).to.equal((count ?? 0) * (label + 1));
        if (added !== undefined) expect(added % (label + 1), `total of ${label}`).to.equal(0);
        if (!isStill) continue;
        const wanted = expected[label];
        expect(pipeline.totals().seriesRefused, 'refused').to.equal(0);
        expect(count, `count of ${label}`).to.equal(wanted);
        expect(added, `total of ${label}`).to.equal(
          wanted === undefined ? undefined : wanted * (label + 1),
        );
      }
    };

    const reuses = () => Atomics.load(segment.control, REUSE_COUNT);
    let pages = 0;
    try {
      while (killer.deaths.total < KILLS || reuses() < REUSES_MIN) {
        for (let count = 0; count < STEPS_A_TURN; count++) step();
        const reading = check(false);
        // Series go and come while the page is read.
        for (let count = 0; count < STEPS_A_TURN; count++) step();
        await turn();
        killer.strike();
        await reading;
        await check(true);
        pages += 2;
      }
    } finally {
      killer.stop();
      await pipeline.close();
    }
    console.log(
      `      ${JSON.stringify(killer.deaths)}, ${churned} removals, ${reuses()} times reused, ${pages} pages`,
    );
    expect(pipeline.totals().unattributedRecords).to.equal(0);
    expect(pipeline.totals().seriesRefused).to.equal(0);
  });
});
