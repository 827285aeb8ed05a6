import { seriesLabels } from '@offloop/core/internal/layout/catalog-reader.js';
import { CATALOG_END } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

const SERIES = 16;
const BYTES_MAX = 400;

describe(`places of labels, seed ${runSeed}`, () => {
  it('are used again: label sets that come and go do not fill the catalog', () => {
    const random = new Random(runSeed);
    const rig = new SegmentRig({ sizes: { maxSeries: SERIES, catalogBytes: 65_536 } });
    const family = rig.addFamily();
    const { control } = rig.segment;
    const live = new Map<number, string>();
    const add = (): void => {
      const labels = `n="${'x'.repeat(random.below(BYTES_MAX))}"`;
      const id = rig.catalog.addSeries(family, labels);
      if (id === undefined) throw new Error(`no series for ${labels.length} bytes`);
      rig.catalog.link(id);
      live.set(id, labels);
    };
    for (let count = 0; count < SERIES; count++) add();
    const begin = control[CATALOG_END] as number;
    for (let count = 0; count < 5_000; count++) {
      const id = [...live.keys()][random.below(live.size)] as number;
      rig.catalog.removeSeries(id, rig.recorder.sequence());
      live.delete(id);
      rig.drainAll();
      add();
      if (count % 100 !== 0) continue;
      for (const [known, labels] of live) expect(seriesLabels(rig.segment, known)).to.equal(labels);
    }
    // No more than what all of them take at their largest.
    expect((control[CATALOG_END] as number) - begin).to.be.below(SERIES * BYTES_MAX);
  });
});
