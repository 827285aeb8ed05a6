import type { Snapshot } from '@offloop/core';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import { expect } from 'chai';
import { factsOf, RoutesRig, SLICE_MS } from './routes-rig.js';

/** What no reading comes to. */
const MARK = 123_456;

/** A rig that has read ahead of three routes. */
async function rigAhead(): Promise<RoutesRig> {
  const rig = new RoutesRig();
  rig.request(1, '200', 0.01);
  rig.request(2, '500', 0.02);
  rig.request(3, '200', 0.04);
  await rig.readAhead();
  return rig;
}

/** Has what is read ahead say something that nobody reads anywhere else. */
function mark({ segment }: RoutesRig): void {
  segment.readAhead[layout.ROWS + layout.ROW_QUANTILES] = MARK / 1000;
}

function isTaken({ routes }: Snapshot): boolean {
  return routes[0]?.p50LatencyMs === MARK;
}

describe('what is read ahead', () => {
  it('is taken, and says what a reader would read by himself', async () => {
    const rig = await rigAhead();
    const taken = factsOf(rig.taken());
    mark(rig);
    expect(isTaken(rig.taken()), 'taken').to.equal(true);
    expect(taken).to.deep.equal(rig.fresh());
  });

  it('is of the quantiles that the last snapshot showed', async () => {
    const rig = await rigAhead();
    await rig.readAhead([0.25, 0.999]);
    mark(rig);
    const snapshot = rig.taken([0.25, 0.999]);
    expect(isTaken(snapshot)).to.equal(true);
    expect(isTaken(rig.taken([0.25])), 'fewer').to.equal(false);
    expect(isTaken(rig.taken([0.25, 0.99])), 'others').to.equal(false);
    const { latencyQuantilesMs } = rig.fresh([0.25, 0.999]) as Snapshot;
    expect(snapshot.latencyQuantilesMs).to.deep.equal(latencyQuantilesMs);
  });

  it('is taken again by who has taken it, and not by who has it anyway', async () => {
    const rig = await rigAhead();
    const first = rig.kept();
    mark(rig);
    expect(rig.kept(), 'nothing was recorded').to.deep.equal(first);
    rig.request(1, '200', 0.01);
    await rig.readAhead();
    mark(rig);
    expect(isTaken(rig.kept() as Snapshot)).to.equal(true);
  });

  const changes: Readonly<Record<string, (rig: RoutesRig) => void>> = {
    'a batch came after it': (rig) => rig.request(1, '200', 0.01),
    'the window has moved on': (rig) => {
      for (let slice = 0; slice < 7; slice++) rig.advance(SLICE_MS);
    },
    'there is another series': (rig) => rig.http.seriesIdOf('GET', '/4', '200'),
    'the series are gone': (rig) => rig.http.reset(),
    'it is being written': ({ segment }) => {
      segment.readAheadCells[layout.SEQUENCE_CELL] =
        (segment.readAheadCells[layout.SEQUENCE_CELL] as number) + 1;
    },
  };
  for (const [why, change] of Object.entries(changes)) {
    it(`is not taken where ${why}`, async () => {
      const rig = await rigAhead();
      mark(rig);
      expect(isTaken(rig.taken())).to.equal(true);
      change(rig);
      await rig.pipeline.flush();
      const snapshot = rig.taken();
      expect(isTaken(snapshot)).to.equal(false);
      expect(factsOf(snapshot)).to.deep.equal(rig.fresh());
    });
  }

  it('is nothing before the first batch, and of a reservoir', async () => {
    const empty = new RoutesRig();
    empty.http.seriesIdOf('GET', '/1', '200');
    await empty.readAhead();
    const sampled = new RoutesRig({ estimator: 'reservoir' });
    sampled.request(1, '200', 0.01);
    await sampled.readAhead();
    for (const { segment } of [empty, sampled])
      expect(segment.readAhead[layout.BATCHES]).to.equal(0);
    expect(factsOf(empty.taken())).to.deep.equal(empty.fresh());
    expect(factsOf(sampled.taken())).to.deep.equal(sampled.fresh());
  });

  it('is nothing where there is no room for the routes', async () => {
    const rig = new RoutesRig({ ring: { capacityRecords: 4096 } });
    for (let route = 0; route < layout.ROUTES_MAX; route++) rig.request(route, '200', 0.01);
    await rig.readAhead();
    mark(rig);
    expect(isTaken(rig.taken()), 'as many as there is room for').to.equal(true);
    rig.request(layout.ROUTES_MAX, '200', 0.01);
    await rig.readAhead();
    const snapshot = rig.taken();
    expect(isTaken(snapshot), 'one more').to.equal(false);
    expect(snapshot.routes).to.have.length(layout.ROUTES_MAX + 1);
    expect(rig.segment.readAhead[layout.ROUTES]).to.equal(layout.ROUTES_MAX);
  });
});
