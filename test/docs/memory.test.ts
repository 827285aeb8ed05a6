import { Histogram, Pipeline, Registry, Summary } from '@offloop/core';
import { HttpMetrics, OPTION_RULES, resolveOptions } from '@offloop/core/adapter';
import { SKETCH_CELLS } from '@offloop/core/internal/aggregate/sketch.js';
import { WIDE_SKETCH_CELLS } from '@offloop/core/internal/aggregate/wide-sketch.js';
import { windowOf } from '@offloop/core/internal/instruments/family-window.js';
import { LABELS_BYTES_MAX } from '@offloop/core/internal/instruments/label-text.js';
import { segmentSizes } from '@offloop/core/internal/instruments/producer.js';
import {
  COUNTER_BLOCK_DOUBLES,
  histogramBlockDoubles,
  SKETCH_GROUP_CELLS,
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
import { windowCopiesDoubles } from '@offloop/core/internal/layout/windows.js';
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
    const { slices } = windowOf(resolveOptions({}, {}).window.seconds);
    const groups = Math.ceil(SKETCH_CELLS / SKETCH_GROUP_CELLS);
    const doubles = [
      COUNTER_BLOCK_DOUBLES,
      histogramBlockDoubles(11, 0),
      histogramBlockDoubles(11, SKETCH_CELLS),
      histogramBlockDoubles(11, SKETCH_CELLS) +
        windowCopiesDoubles(slices, groups, SKETCH_GROUP_CELLS),
      histogramBlockDoubles(11, WIDE_SKETCH_CELLS),
      histogramBlockDoubles(0, WIDE_SKETCH_CELLS),
    ];
    const rows = tableUnder(document, '## What a series takes').map(([, count, bytes]) => [
      Number(count),
      Number(bytes),
    ]);
    expect(rows).to.deep.equal(doubles.map((count) => [count, count * 8]));
  });

  it('states how many series the default has room for', () => {
    const room = (start: (registry: Registry) => (series: string) => number): number => {
      const pipeline = new Pipeline();
      // Nothing else is in the way: what is in question is memory.aggregateBytes.
      pipeline.configure({
        engine: 'inline',
        maxSeriesPerMetric: OPTION_RULES['memory.maxSeries']?.default as number,
      });
      const idOf = start(new Registry(pipeline));
      // Laid out at the first use.
      void pipeline.producer;
      const ids = new Set<number>();
      for (let count = 0; ids.size === count; count++) ids.add(idOf(`${count}`));
      return ids.size;
    };
    const common = { name: 'm', help: 'm', labelNames: ['a'] };
    const ofSummary = room((registry) => {
      const { family } = new Summary({ ...common, registers: [registry] });
      return (series) => family.seriesByValues([series]);
    });
    const ofHistogram = room((registry) => {
      const buckets = Array.from({ length: 11 }, (_, index) => index);
      const { family } = new Histogram({ ...common, buckets, native: true, registers: [registry] });
      return (series) => family.seriesByValues([series]);
    });
    const ofRequests = room((registry) => {
      const requests = new HttpMetrics(registry.pipeline, registry);
      return (series) => requests.seriesIdOf('GET', series, '200');
    });
    const inWords = (number: number): string => `${number}`.replace(/\B(?=\d{3}$)/, ' ');
    expect(document.replace(/\s+/g, ' '))
      .to.include(
        `room for ${inWords(ofSummary)} series of a summary, or ${inWords(ofHistogram)} of`,
      )
      .and.include(`room for ${inWords(ofRequests)} of them, more than twice the`)
      .and.include(`the ${inWords(OPTION_RULES['maxSeriesPerMetric']?.default as number)} that`);
  });
});
