import { CONSUMER_CURSOR, PRODUCER_CURSOR } from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

describe('the memory of removed series', () => {
  for (const later of [0, 2 ** 30, 2 ** 31 + 10, 2 ** 32 - 10, 2 ** 32 + 10]) {
    it(`goes to others once the drain has passed it, also where nobody needs it for ${later} records`, () => {
      const rig = new SegmentRig({ sizes: { maxSeries: 16 } });
      const family = rig.addFamily();
      const ids = Array.from({ length: 16 }, (_, n) => rig.addSeries(family, `n="${n}"`));
      expect(rig.catalog.addSeries(family, 'n="more"')).to.equal(undefined);
      for (const id of ids.slice(0, 4)) rig.recorder.record(id, 1);
      for (const id of ids.slice(0, 4)) rig.catalog.removeSeries(id, rig.recorder.sequence());
      rig.recorder.publish();
      expect(rig.catalog.addSeries(family, 'n="too early"')).to.equal(undefined);
      rig.drainAll();
      rig.catalog.lookAtRemoved();
      for (const cursor of [PRODUCER_CURSOR, CONSUMER_CURSOR])
        Atomics.add(rig.segment.control, cursor, later | 0);
      expect(ids.slice(0, 4)).to.include(rig.catalog.addSeries(family, 'n="later"'));
    });
  }
});
