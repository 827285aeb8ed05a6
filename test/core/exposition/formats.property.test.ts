import { Gauge, isOffloopError } from '@offloop/core';
import { LABELS_BYTES_MAX } from '@offloop/core/internal/instruments/label-text.js';
import { expect } from 'chai';
import { type ParsedFamily, parseExposition } from '../../support/exposition-parser.js';
import {
  needOpenMetricsParser,
  needTextParser,
  type OpenMetricsFamily,
  type OpenMetricsParser,
} from '../../support/open-metrics-parser.js';
import { Random, runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

const PAGES = 80;

const PARTS = [
  ...['"', '\\', '\n', '\r', '\r\n', '|', ',', '=', '{', '}', ' ', '\t', '\0', '\u0085', '\u2028'],
  ...[
    ' # ',
    '# EOF',
    '\\n',
    '\\"',
    '"} 1\nevil 1',
    '\ufeff',
    'é',
    '日本',
    '🦊',
    '.',
    ':',
    '1',
    '_',
    'a',
  ],
  ...['\ud800', '\udc00', 'b_c', 'D', 'le', 'quantile'],
];

const VALUES = [
  ...[0, -0, 1, -1, 0.1, 1e-7, 1e21, 2 ** 53, -(2 ** 53), 5e-324, -5e-324, 2.2e-308],
  ...[Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

/** A sample as all formats agree on it: without what one of them changes. */
interface Expected {
  readonly suffix: string;
  /** Of the labels, in the order of the names. */
  readonly values: readonly string[];
  readonly bound?: number;
  readonly value: number;
}

interface ExpectedFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly bounds: readonly number[];
  readonly samples: readonly Expected[];
}

const TYPES = ['counter', 'gauge', 'histogram'] as const;

/** Fills a registry at random, and says what was accepted of it. */
class Filling {
  readonly rig = new PipelineRig();
  readonly families: ExpectedFamily[] = [];
  readonly #random: Random;
  refused = 0;
  oversize = 0;

  constructor(random: Random) {
    this.#random = random;
    for (let count = 1 + random.below(6); count > 0; count--) this.#addFamily();
  }

  #text(partsMax: number): string {
    let text = '';
    for (let count = this.#random.below(partsMax + 1); count > 0; count--) {
      text += PARTS[this.#random.below(PARTS.length)] as string;
    }
    return text;
  }

  #value(): number {
    return this.#random.below(2) === 0
      ? this.#random.bits()
      : (VALUES[this.#random.below(VALUES.length)] as number);
  }

  /** A name that is legal as a rule, and in the random rest of cases whatever it is. */
  #name(): string {
    switch (this.#random.below(4)) {
      case 0:
        return this.#text(3);
      case 1:
        return `m${this.families.length}${this.#text(3)}`;
      default:
        return `m${this.families.length}_total`;
    }
  }

  #addFamily(): void {
    const random = this.#random;
    const { registry } = this.rig;
    const utf8Names = random.below(2) === 0;
    const type = TYPES[random.below(TYPES.length)] as ExpectedFamily['type'];
    const name = this.#name();
    const help = random.below(2) === 0 ? `x${this.#text(4)}x` : this.#text(4);
    const labelNames = Array.from({ length: random.below(4) }, (_, index) =>
      random.below(2) === 0 ? `l${index}` : this.#text(2),
    );
    const bounds = Array.from({ length: random.below(5) }, () => this.#value());
    if (random.below(3) > 0) bounds.sort((one, other) => one - other);
    const config = { name, help, labelNames, utf8Names, registers: [registry] };
    const isTaken = registry.getSingleMetric(name) !== undefined;
    // Names of samples that differ from other families' only in their suffix are for the user to avoid (docs/formats.md).
    if (isTaken) return;
    const isLegal =
      help !== '' &&
      isLegalName(name, utf8Names, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/) &&
      labelNames.every((label) => isLegalName(label, utf8Names, /^[a-zA-Z_][a-zA-Z0-9_]*$/)) &&
      new Set(labelNames).size === labelNames.length &&
      (type !== 'histogram' || (!labelNames.includes('le') && areBounds(bounds)));
    const record = this.#make(type, { ...config, bounds });
    expect(record !== undefined, JSON.stringify({ ...config, registers: 0, bounds })).to.equal(
      isLegal,
    );
    if (record === undefined) {
      this.refused++;
      return;
    }
    const finite = bounds.filter((bound) => Number.isFinite(bound));
    const samples = this.#record({ type, labelNames, bounds: finite, record });
    const family = { name, type, help: help.toWellFormed(), labelNames, bounds: finite };
    this.families.push({ ...family, samples });
  }

  /** @returns What records a value; `undefined` where the metric is refused as documented. */
  #make(
    type: ExpectedFamily['type'],
    config: { name: string; help: string; labelNames: string[]; bounds: number[] },
  ): ((labels: Record<string, string>, value: number) => void) | undefined {
    try {
      if (type === 'counter') {
        const counter = this.rig.counter(config);
        return (labels, value) => counter.inc(labels, value);
      }
      if (type === 'gauge') {
        const gauge = new Gauge(config);
        return (labels, value) => gauge.set(labels, value);
      }
      const histogram = this.rig.histogram({ ...config, buckets: config.bounds });
      return (labels, value) => histogram.observe(labels, value);
    } catch (error) {
      expect(isOffloopError(error, 'OFFLOOP_ERR_METRIC_CONFIG'), String(error)).to.equal(true);
      return undefined;
    }
  }

  #record(of: {
    readonly type: ExpectedFamily['type'];
    readonly labelNames: readonly string[];
    readonly bounds: readonly number[];
    readonly record: (labels: Record<string, string>, value: number) => void;
  }): Expected[] {
    const { type, labelNames, bounds, record } = of;
    const last = new Map<
      string,
      { readonly values: readonly string[]; readonly value: number | undefined }
    >();
    for (let count = labelNames.length === 0 ? 1 : this.#random.below(5); count > 0; count--) {
      const texts = labelNames.map(() => this.#labelValue());
      const values = texts.map((text) => text.toWellFormed());
      const line = labelNames.map((name, index) => `${name}${values[index]}`).join('');
      const isOversize = Buffer.byteLength(line) > LABELS_BYTES_MAX;
      const shown = isOversize ? labelNames.map(() => '__overflow__') : values;
      const key = JSON.stringify(shown);
      // One record a series, so that no sum is rounded.
      if (last.has(key)) continue;
      if (isOversize) this.oversize++;
      const value = this.#value();
      const labels = Object.fromEntries(labelNames.map((name, index) => [name, texts[index]]));
      const isTaken =
        type === 'gauge' || (Number.isFinite(value) && (type === 'histogram' || value >= 0));
      try {
        record(labels as Record<string, string>, value);
        expect(isTaken, String(value)).to.equal(true);
        last.set(key, { values: shown, value });
      } catch (error) {
        expect(isOffloopError(error, 'OFFLOOP_ERR_VALUE'), String(error)).to.equal(true);
        expect(isTaken, String(value)).to.equal(false);
      }
    }
    // Without labels there is a series from the start.
    if (labelNames.length === 0 && last.size === 0)
      last.set('[]', { values: [], value: undefined });
    return [...last.values()].flatMap(({ values, value }) => {
      if (type !== 'histogram') return [{ suffix: '', values, value: value ?? 0 }];
      const count = value === undefined ? 0 : 1;
      const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound) => ({
        suffix: '_bucket',
        values,
        bound,
        value: (value ?? 0) <= bound ? count : 0,
      }));
      return [
        ...buckets,
        { suffix: '_sum', values, value: value ?? 0 },
        { suffix: '_count', values, value: count },
      ];
    });
  }

  #labelValue(): string {
    switch (this.#random.below(40)) {
      case 0:
        return 'x'.repeat(1_000_000);
      case 1:
        return '日'.repeat(LABELS_BYTES_MAX);
      default:
        return this.#text(5);
    }
  }
}

function isLegalName(name: string, utf8Names: boolean, legacy: RegExp): boolean {
  return utf8Names ? name !== '' && name.isWellFormed() : legacy.test(name);
}

function areBounds(bounds: readonly number[]): boolean {
  const finite = bounds.at(-1) === Number.POSITIVE_INFINITY ? bounds.slice(0, -1) : bounds;
  return finite.every(
    (bound, index) =>
      Number.isFinite(bound) && (index === 0 || bound > (finite[index - 1] as number)),
  );
}

type Read = ParsedFamily | OpenMetricsFamily;

/** What a parser read, in the form of what was expected: names of labels aside, and zeroes alike. */
function samplesOf({ samples }: Read, { name, type }: { name: string; type: string }) {
  return samples
    .filter((sample) => !sample.name.endsWith('_created'))
    .map((sample) => {
      const labels = new Map(
        sample.labels instanceof Map ? sample.labels : Object.entries(sample.labels),
      );
      const bound = type === 'histogram' ? labels.get('le') : undefined;
      if (bound !== undefined) labels.delete('le');
      return {
        suffix: type === 'histogram' ? sample.name.slice(name.length) : '',
        values: [...labels.values()].sort(),
        ...(bound === undefined ? {} : { bound: plain(Number(bound.replace('Inf', 'Infinity'))) }),
        value: plain(sample.value),
      };
    });
}

function expectedOf({ samples, bounds, type }: ExpectedFamily, isOpenMetrics: boolean) {
  return samples
    .map((sample) => ({
      ...sample,
      values: [...sample.values].sort(),
      ...(sample.bound === undefined ? {} : { bound: plain(sample.bound) }),
      value: plain(sample.value),
    }))
    .filter(({ suffix }, index) => {
      if (!isOpenMetrics || type !== 'histogram' || suffix === '_bucket') return true;
      const sum = samples[suffix === '_sum' ? index : index - 1] as Expected;
      return !bounds.some((bound) => bound < 0) && sum.value >= 0;
    });
}

/** One zero, as Python has no whole number -0. */
function plain(value: number): number {
  return value === 0 ? 0 : value;
}

describe(`pages of anything, seed ${runSeed}`, function () {
  this.timeout(120_000);
  let openMetrics: OpenMetricsParser;
  let text: OpenMetricsParser;

  before(function () {
    openMetrics = needOpenMetricsParser(this);
    text = needTextParser(this);
  });

  it('come back equal from every parser, or are refused as documented', async () => {
    const random = new Random();
    const fillings = Array.from({ length: PAGES }, () => new Filling(random));
    const pageOf = async (
      { rig }: Filling,
      form: Partial<Parameters<typeof rig.pipeline.render>[0]>,
    ): Promise<string> => {
      const families = rig.registry.familyIds();
      const { bytes } = await rig.pipeline.render({ families, includePipeline: false, ...form });
      return Buffer.from(bytes).toString();
    };
    const schemes = ['underscores', 'dots', 'values'] as const;
    const escapings = fillings.map((_, index) => schemes[index % 3] as (typeof schemes)[number]);
    const texts: string[] = [];
    const openMetricsPages: string[] = [];
    for (const [index, filling] of fillings.entries()) {
      const escaping = escapings[index] as (typeof schemes)[number];
      texts.push(await pageOf(filling, { escaping }));
      openMetricsPages.push(await pageOf(filling, { escaping, format: 'openMetrics' }));
      const quoted = parseExposition(await pageOf(filling, { escaping: 'allow-utf-8' }));
      expect(quoted.map(({ name }) => name)).to.deep.equal(
        filling.families.map(({ name }) => name),
      );
      const plainText = parseExposition(texts.at(-1) as string);
      for (const [position, expected] of filling.families.entries()) {
        for (const family of [quoted[position], plainText[position]] as ParsedFamily[]) {
          expect(family.help).to.equal(expected.help);
          expect(family.type).to.equal(expected.type);
          expect(samplesOf(family, family)).to.deep.equal(expectedOf(expected, false));
        }
        for (const { labels } of quoted[position]?.samples ?? []) {
          const names = [...labels.keys()].filter(
            (name) => expected.type !== 'histogram' || name !== 'le',
          );
          // Integers lead among an object's keys, and so among labels given as one.
          expect(names).to.have.members(expected.labelNames);
        }
      }
    }
    for (const [format, pages, parse] of [
      ['text', texts, text],
      ['OpenMetrics', openMetricsPages, openMetrics],
    ] as const) {
      for (const [index, parsed] of parse(pages).entries()) {
        const { families } = fillings[index] as Filling;
        if ('error' in parsed) throw new Error(`${format}: ${parsed.error}\n${pages[index]}`);
        expect(parsed.families).to.have.length(families.length);
        for (const [position, expected] of families.entries()) {
          const family = parsed.families[position] as OpenMetricsFamily;
          const isOpenMetrics = format === 'OpenMetrics';
          // The parser of the text format takes blanks from both ends.
          if (isOpenMetrics || /^x.*x$/s.test(expected.help)) {
            expect(family.help).to.equal(expected.help);
          }
          expect(samplesOf(family, { name: family.name, type: expected.type })).to.deep.equal(
            expectedOf(expected, isOpenMetrics),
          );
        }
      }
    }
    const total = (of: 'refused' | 'oversize') =>
      fillings.reduce((sum, filling) => sum + filling[of], 0);
    console.log(
      `      ${fillings.flatMap(({ families }) => families).length} metrics, ${total('refused')} refused, ${total('oversize')} label sets too long`,
    );
    expect(total('refused')).to.be.above(0);
    expect(total('oversize')).to.be.above(0);
  });
});
