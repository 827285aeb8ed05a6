import { OPTION_RULES, resolveOptions } from '@offloop/core';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { LABELS_BYTES_MAX } from '@offloop/core/internal/instruments/label-text.js';
import { segmentSizes } from '@offloop/core/internal/instruments/producer.js';
import {
  COUNTER_BLOCK_DOUBLES,
  histogramBlockDoubles,
} from '@offloop/core/internal/layout/aggregates.js';
import { FAMILY_ENTRY_CELLS, SERIES_ENTRY_CELLS } from '@offloop/core/internal/layout/catalog.js';
import { CONTROL_BLOCK_BYTES } from '@offloop/core/internal/layout/control-block.js';
import {
  EXEMPLAR_LABEL_BYTES_MAX,
  EXEMPLAR_SLOT_BYTES,
} from '@offloop/core/internal/layout/exemplars.js';
import { HEALTH_DOUBLES } from '@offloop/core/internal/layout/health.js';
import { READ_AHEAD_DOUBLES } from '@offloop/core/internal/layout/read-ahead.js';
import { RECORD_BYTES } from '@offloop/core/internal/layout/record.js';
import { logEntries } from '@offloop/core/internal/layout/redo-log.js';
import { regionsOf } from '@offloop/core/internal/layout/segment.js';
import { WATCH_BYTES } from '@offloop/core/internal/layout/watch.js';
import { expect } from 'chai';
import { readDocument, tableUnder } from './tables.js';

describe('docs/memory.md', () => {
  const document = readDocument('docs/memory.md');
  const sizes = segmentSizes(resolveOptions({}, {}));

  it('gives each region of a default segment its place and size', () => {
    const at = regionsOf(sizes);
    const entries = logEntries(sizes.capacityRecords);
    const expected = [
      ['control block', 0, CONTROL_BLOCK_BYTES],
      ['watch', at.watch, WATCH_BYTES],
      ['health', at.health, HEALTH_DOUBLES * 8],
      ['read-ahead', at.readAhead, READ_AHEAD_DOUBLES * 8],
      ['ring', at.ring, sizes.capacityRecords * RECORD_BYTES],
      ['redo log, cells', at.logCells, entries * 4],
      ['redo log, values', at.logValues, entries * 8],
      ['family entries', at.families, sizes.maxFamilies * FAMILY_ENTRY_CELLS * 4],
      ['series entries', at.series, sizes.maxSeries * SERIES_ENTRY_CELLS * 4],
      ['catalog bytes', at.catalogBytes, sizes.catalogBytes],
      ['aggregates', at.aggregates, sizes.aggregateCells * 8],
    ];
    const rows = tableUnder(document, '## Regions').map(([name, start, bytes]) => [
      name,
      Number(start),
      Number(bytes),
    ]);
    expect(rows).to.deep.equal(expected);
  });

  it('gives each option its default and range', () => {
    for (const [name, fallback, range] of tableUnder(document, '## What you can set')) {
      const rule = OPTION_RULES[name as string];
      expect(String(rule?.default), name).to.equal(fallback);
      expect(rule?.rule, name).to.equal(range);
    }
    const options = Object.keys(OPTION_RULES).filter((name) =>
      /^(ring|memory)\.|^maxSeries/.test(name),
    );
    expect(
      tableUnder(document, '## What you can set')
        .map(([name]) => name)
        .sort(),
    ).to.deep.equal(options.sort());
  });

  it('states the limits of label sets and exemplars', () => {
    expect(document).to.include(`A label set of more than ${LABELS_BYTES_MAX} bytes`);
    expect(document).to.include(`Exemplars take ${EXEMPLAR_SLOT_BYTES} bytes`);
    expect(readDocument('docs/formats.md')).to.include(
      `more than ${EXEMPLAR_LABEL_BYTES_MAX} bytes in UTF-8`,
    );
  });

  it('states what a series takes', () => {
    const doubles = [
      COUNTER_BLOCK_DOUBLES,
      histogramBlockDoubles(11, 0),
      histogramBlockDoubles(11, SKETCH_CELLS),
      histogramBlockDoubles(11, WIDE_SKETCH_CELLS),
      histogramBlockDoubles(0, WIDE_SKETCH_CELLS),
    ];
    const rows = tableUnder(document, '## What a series takes').map(([, count, bytes]) => [
      Number(count),
      Number(bytes),
    ]);
    expect(rows).to.deep.equal(doubles.map((count) => [count, count * 8]));
  });
});
