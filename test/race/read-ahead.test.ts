import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '@offloop/core';
import { SnapshotReader } from '@offloop/core/adapter';
import { AheadReader, Segment } from '@offloop/core/engine';
import { NOTHING_BEFORE } from '@offloop/core/internal/aggregate/window-reading.js';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import { NAMED } from '@offloop/core/internal/snapshot/route.js';
import { RouteReader } from '@offloop/core/internal/snapshot/route-reading.js';
import { expect } from 'chai';
import { factsOf, RoutesRig } from '../core/snapshot/routes-rig.js';
import { copySegment, dies, withTappedSegment } from './tapped-segment.js';

/** Small, as each of two hundred deaths gets a copy of it. */
const SMALL = {
  ring: { capacityRecords: 1024 },
  memory: { maxSeries: 256, catalogBytes: 2 ** 17, aggregateBytes: 2 ** 20 },
};

function readAhead(segment: Segment): void {
  new AheadReader(segment).read();
}

describe('a thread that dies around any store while it reads ahead', function () {
  this.timeout(120_000);

  it('leaves nothing that somebody takes for whole, and its successor reads ahead anew', async () => {
    const rig = new RoutesRig(SMALL);
    for (let route = 1; route < 4; route++) rig.request(route, '200', 0.01 * route);
    await rig.readAhead();
    // What is there already is of another batch, with other numbers and as many routes.
    for (let route = 1; route < 4; route++) rig.request(route, '500', 0.03 * route);
    await rig.pipeline.flush();
    const exact = rig.fresh(undefined, copySegment(rig.segment));

    const stores: string[] = [];
    withTappedSegment(copySegment(rig.segment), (what) => stores.push(what), readAhead);
    expect(stores).to.have.length.above(80);
    for (const [dyingAt, where] of stores.entries()) {
      const segment = copySegment(rig.segment);
      expect(dies(segment, dyingAt, readAhead), where).to.equal(true);
      expect(factsOf(rig.taken(undefined, segment)), where).to.deep.equal(exact);
      readAhead(segment);
      expect(factsOf(rig.taken(undefined, segment)), `after ${where}`).to.deep.equal(exact);
      segment.readAhead[layout.ROWS + layout.ROW_QUANTILES] = 123;
      expect(rig.taken(undefined, segment).routes[0]?.p50LatencyMs, where).to.equal(123_000);
    }
  });
});

describe('a reader into whose reading another is written ahead', () => {
  it('takes all of one of them', async () => {
    const rig = new RoutesRig(SMALL);
    const round = async (seconds: number) => {
      for (let route = 1; route < 4; route++) rig.request(route, '200', seconds * route);
      await rig.readAhead();
      return copySegment(rig.segment);
    };
    const earlier = await round(0.01);
    const later = await round(0.03);
    const before = rowsOf(earlier);
    const after = rowsOf(later);
    expect(after).to.not.deep.equal(before);

    let looks = 0;
    rowsOf(withLooks(copySegment(earlier), () => looks++));
    expect(looks, 'it is taken').to.be.above(40);
    const seen = { before: 0, after: 0 };
    for (let writtenAt = 0; writtenAt < looks; writtenAt++) {
      const segment = copySegment(earlier);
      let look = 0;
      const rows = rowsOf(
        withLooks(segment, () => {
          if (look++ !== writtenAt) return;
          new Uint8Array(segment.buffer).set(new Uint8Array(later.buffer));
        }),
      );
      expect(rows, `written before look ${writtenAt}`).to.deep.be.oneOf([before, after]);
      seen[isDeepStrictEqual(rows, after) ? 'after' : 'before']++;
    }
    expect(seen.after).to.be.above(40);
  });
});

/** What one reading says of the routes, whether it was of one batch or not. */
function rowsOf(segment: Segment): object {
  const reader = new RouteReader(segment);
  reader.learn();
  const { aggregates } = segment;
  const start = { slice: NOTHING_BEFORE, tick: 1, spanMs: 1_000 };
  reader.read({ aggregates, start, samples: undefined, shares: NAMED });
  return { rows: reader.rows(), all: reader.all.lifetime, named: [...reader.named] };
}

/** The segment, with a call before each look at what is read ahead. */
function withLooks(segment: Segment, onLook: () => void): Segment {
  const readAhead = new Proxy(segment.readAhead, {
    get: (target, key) => {
      onLook();
      return Reflect.get(target, key, target);
    },
  });
  return { ...segment, readAhead } as unknown as Segment;
}

const ROUTES = 20;
const READINGS_WANTED = 2_000;
const TAKEN_WANTED = 500;
/** Of which the two lists of quantiles are that main asks for in turn. */
const SHARES = [
  [0.001, 0.25],
  [0.5, 0.999],
];

describe('a reader of snapshots that a thread reads ahead for at full speed', function () {
  this.timeout(120_000);
  let thread: Worker;
  afterEach(() => thread.terminate());

  it('takes all of a reading or nothing', async () => {
    thread = new Worker(new URL('./reads-ahead-at-full-speed.js', import.meta.url));
    const [buffer] = (await once(thread, 'message')) as [SharedArrayBuffer];
    const segment = Segment.attach(buffer);
    const reader = new SnapshotReader(segment, { wantsReadAhead: true });
    let taken = 0;
    let before = 0;
    for (let readings = 0; readings < READINGS_WANTED || taken < TAKEN_WANTED; readings++) {
      // Each list several times, so that the thread has it ahead, and changes it while it is being taken.
      const quantiles = SHARES[(readings >> 2) & 1] as number[];
      const ahead = () => [
        segment.readAheadCells[layout.SEQUENCE_CELL],
        segment.readAhead[layout.BATCHES],
        segment.readAhead[layout.ASKED],
      ];
      const aheadBefore = ahead();
      const snapshot = reader.read({ isLagMonitored: false, quantiles });
      const isTaken = isDeepStrictEqual(aheadBefore, ahead());
      const { batches } = snapshot.pipeline;
      if (isTaken && isDeepStrictEqual(aheadBefore.slice(1), [batches, quantiles[0]])) taken++;
      expectOfOneRound(snapshot);
      expect(snapshot.totalRequests).to.be.at.least(before);
      before = snapshot.totalRequests;
    }
    console.log(`      ${taken} taken`);
  });
});

/** In each round, the program has one to five requests on each route, by its number, all of them equally long. */
function expectOfOneRound({
  routes,
  totalRequests,
  latencyHistogram,
  latencyQuantilesMs,
  window,
}: Snapshot): void {
  const rounds = routes[0]?.requests ?? 0;
  let sum = 0;
  for (const { route, requests, errors, p50LatencyMs, p99LatencyMs, ...row } of routes) {
    const number = Number(route.slice(1));
    sum += requests;
    if (
      requests !== (1 + (number % 5)) * rounds ||
      row.window.requests !== requests ||
      errors !== 0
    )
      expect.fail(`${requests} requests, ${errors} errors on ${route} in round ${rounds}`);
    for (const latency of [p50LatencyMs, p99LatencyMs])
      expect(latency, route).to.be.closeTo(10 * (number + 1), 0.22 * (number + 1));
  }
  expect(totalRequests).to.equal(sum);
  expect(window.requests).to.equal(sum);
  for (const [share, latency] of Object.entries(latencyQuantilesMs)) {
    const exact = 10 * (1 + quantileOf(Number(share)));
    if (sum > 0) expect(latency, share).to.be.closeTo(exact, 0.022 * exact);
  }
  if (sum > 0) expect(latencyHistogram['+Inf']).to.equal(sum);
}

/** The route whose requests stand at a share of those of a round. */
function quantileOf(share: number): number {
  const routes = Array.from({ length: ROUTES }, (_, route) =>
    Array.from({ length: 1 + (route % 5) }, () => route),
  ).flat();
  return routes[Math.ceil(share * routes.length) - 1] as number;
}
