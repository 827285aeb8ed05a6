import { Random, runSeed } from '../../support/random.js';
import { CounterRig } from './counter-rig.js';

const SCENARIOS = 150;
const STEPS = 150;

describe(`window of a counter: laws, seed ${runSeed}`, () => {
  it('holds what a window holds that keeps every increment', () => {
    const random = new Random();
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const rig = new CounterRig({ slices: 1 + random.below(6), sliceTicks: 1 + random.below(4) });
      for (let step = 0; step < STEPS; step++) {
        const what = random.below(20);
        if (what < 10) rig.increase(rig.series[random.below(2)] as number, random.below(50));
        else if (what < 15) rig.advance(random.below(350));
        else if (what === 15) rig.advance(random.below(5_000));
        else if (what === 16) rig.advance(-random.below(2_000));
        else if (what === 17) rig.recorder.publish();
        else if (what === 18) rig.drain.drainBatch(random.below(10));
        else rig.expectExact();
      }
      rig.expectExact();
    }
  });
});
