import { Gauge, Summary } from '@offloop/core';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import { decodeFamilies, samplesOf } from '../../support/protobuf-decoder.js';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

const PARTS = [
  '"',
  '\\',
  '\n',
  '\r',
  '|',
  ',',
  '=',
  '="',
  '{',
  '}',
  ' ',
  '\\n',
  '\\"',
  '\0',
  '\u2028',
  'é',
  '日本',
  '🦊',
  '\ud800',
  '\udc00',
  'n',
  'a1',
];

function randomText(random: Random): string {
  let text = '';
  for (let count = random.below(9); count > 0; count--) {
    text += PARTS[random.below(PARTS.length)] as string;
  }
  return random.below(300) === 0 ? text.repeat(2_000) : text;
}

/** A label set: each of the names with a value or without one. */
function randomLabels(random: Random, names: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const name of names) if (random.below(4) > 0) labels[name] = randomText(random);
  return labels;
}

describe(`protobuf and the text format of anything, seed ${runSeed}`, function () {
  this.timeout(30_000);

  it('say the same of the same capture: names, helps, labels, bounds and values, sample by sample', async () => {
    const random = new Random();
    for (let page = 0; page < 10; page++) {
      const rig = new PipelineRig({ memory: { catalogBytes: 32 * 1024 * 1024 } });
      const registers = [rig.registry];
      for (let family = 0; family < 20; family++) {
        const help = randomText(random) || 'x';
        const labelNames = ['a', 'b', 'longer_name'].slice(0, random.below(4));
        const kind = random.below(4);
        const counter = rig.counter({ name: `c${family}_total`, help, labelNames });
        const gauge = new Gauge({ name: `g${family}`, help, labelNames, registers });
        const buckets = [...new Set(Array.from({ length: random.below(20) }, () => random.bits()))]
          .filter((bound) => Number.isFinite(bound))
          .sort((one, other) => one - other);
        const native = random.below(4) === 0;
        const histogram = rig.histogram({ name: `h${family}`, help, labelNames, buckets, native });
        const percentiles = Array.from({ length: random.below(4) }, () => random.unit());
        const name = `s${family}`;
        const summary = new Summary({ name, help, labelNames, percentiles, registers });
        for (let series = random.below(30); series > 0; series--) {
          const labels = randomLabels(random, labelNames);
          const value = random.below(5) === 0 ? random.below(1_000) : random.bits();
          if (kind === 0 && value >= 0) counter.inc(labels, value);
          else if (kind === 1) gauge.set(labels, value);
          else if (Number.isFinite(value)) [histogram, summary][kind - 2]?.observe(labels, value);
        }
      }
      const request = {
        families: rig.registry.familyIds(),
        includePipeline: ['offloop_series', 'offloop_records_offered_total'],
        defaultLabels:
          random.below(2) === 0
            ? []
            : ([['b', `unlike any other: ${randomText(random)}`]] as const),
      };
      const [text, protobuf] = [
        await rig.pipeline.render(request),
        await rig.pipeline.render({ ...request, format: 'protobuf' }),
      ];
      const expected = parseExposition(Buffer.from(text.bytes).toString()).filter(
        ({ samples }) => samples.length > 0,
      );
      const families = decodeFamilies(protobuf.bytes);
      expect(
        families.map(({ name, help, type }) => [name, help, type?.toLowerCase()]),
      ).to.deep.equal(expected.map(({ name, help, type }) => [name, help, type]));
      for (const [index, family] of families.entries()) {
        expect(samplesOf(family)).to.deep.equal(expected[index]?.samples);
      }
    }
  });
});
