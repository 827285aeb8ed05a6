import { expect } from 'chai';
import {
  familiesOf,
  needOpenMetricsParser,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

const PARTS = [
  '"',
  '\\',
  '\n',
  '\r',
  '\r\n',
  '|',
  ',',
  '=',
  '{',
  '}',
  ' ',
  ' # ',
  '# EOF',
  '\\n',
  '\\"',
  '\0',
  '\t',
  '\u0085',
  '\u2028',
  '\ufeff',
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
  return text;
}

describe(`OpenMetrics of any text, seed ${runSeed}`, function () {
  this.timeout(30_000);
  let parse: OpenMetricsParser;

  before(function () {
    parse = needOpenMetricsParser(this);
  });

  it('comes back equal: help texts, label values, bounds and values', async () => {
    const random = new Random();
    const rig = new PipelineRig();
    const helps: string[] = [];
    const written = new Map<string, number>();
    for (let family = 0; family < 60; family++) {
      const help = randomText(random) || 'x';
      helps.push(help.toWellFormed());
      const counter = rig.counter({ name: `c${family}_total`, help, labelNames: ['a', 'b'] });
      for (let series = 0; series < 20; series++) {
        const a = randomText(random);
        const b = randomText(random);
        const value = Math.abs(random.bits());
        if (!Number.isFinite(value)) continue;
        counter.inc({ a, b }, value);
        const key = JSON.stringify([family, a.toWellFormed(), b.toWellFormed()]);
        written.set(key, (written.get(key) ?? 0) + value);
      }
    }
    const bounds = [...new Set(Array.from({ length: 60 }, () => random.bits()))]
      .filter((bound) => Number.isFinite(bound) && bound > 0)
      .sort((one, other) => one - other);
    rig.histogram({ name: 'bounds', buckets: bounds }).observe(1);

    const { bytes } = await rig.pipeline.render({
      families: rig.registry.familyIds(),
      includePipeline: true,
      format: 'openMetrics',
    });
    const families = familiesOf(parse, bytes);
    expect(families.slice(0, 60).map(({ help }) => help)).to.deep.equal(helps);
    const read = families.slice(0, 60).flatMap(({ samples }, family) =>
      samples
        .filter(({ name }) => name.endsWith('_total'))
        .map(({ labels, value }): [string, number] => {
          return [JSON.stringify([family, labels['a'], labels['b']]), value];
        }),
    );
    expect(read).to.have.length(written.size);
    expect(new Map(read)).to.deep.equal(written);
    const readBounds = families[60]?.samples
      .filter(({ name }) => name === 'bounds_bucket')
      .map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
    expect(readBounds).to.deep.equal([...bounds, Number.POSITIVE_INFINITY]);
  });
});
