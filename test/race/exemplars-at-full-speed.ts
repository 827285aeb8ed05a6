import { parentPort } from 'node:worker_threads';
import { encodeLabels } from '@offloop/core/internal/record/exemplar-slot.js';
import { SegmentRig } from '../core/segment-rig.js';

/** Series that the family has at a time. */
const SERIES = 50;
/** Exemplars written between two changes of series. */
const WRITES = 20_000;

/**
 * Program of a thread that writes exemplars as fast as it can, whose label says the series that they belong to and the value that they
 * have, and gives its series' memory to others now and then, until it is terminated.
 */
const rig = new SegmentRig({ sizes: { maxSeries: 1024, catalogBytes: 1 << 20 } });
const family = rig.addHistogram([1, 2]);
parentPort?.postMessage({ buffer: rig.segment.buffer, family });

for (let generation = 0; ; generation++) {
  const ids = Array.from({ length: SERIES }, (_, index) =>
    rig.addSeries(family, `n="${generation}.${index}"`),
  );
  for (let write = 0; write < WRITES; write++) {
    const index = write % SERIES;
    const value = write + generation;
    // Of changing length, so that half of one and half of another could not be read by chance.
    const text = `${generation}.${index} `.padEnd(10 + (write % 150), `${value} `);
    rig.catalog.exemplars.put(ids[index] as number, write % 3, {
      labels: encodeLabels([
        ['n', `${generation}.${index}`],
        ['text', text],
      ]),
      value,
      timestampMs: value * 2 + text.length,
    });
  }
  for (const id of ids) rig.catalog.removeSeries(id, rig.recorder.sequence());
}
