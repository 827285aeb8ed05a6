import type { Counter } from '@offloop/core';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';

const HOSTILE = [
  '',
  ' ',
  '|',
  ',b:',
  ',b="x"',
  '","b="',
  '"',
  '\\',
  '\\"',
  '\\n',
  '\n',
  '\r\n',
  '\u2028',
  '\0',
  '{}',
  '}',
  '# TYPE x counter',
  'äöü 🚀',
  '\u{10ffff}',
  '__proto__',
  'constructor',
  'toString',
  'undefined',
  'null',
  '__overflow__',
];

/** A page's samples as label set → value, as JSON of the labels in order. */
async function totals(rig: PipelineRig): Promise<Record<string, number>> {
  const samples = await rig.samples();
  return Object.fromEntries(
    samples.map(({ labels, value }) => [JSON.stringify([...labels]), value]),
  );
}

describe('label values', () => {
  for (const value of HOSTILE) {
    it(`come back from the page as they went in: ${JSON.stringify(value)}`, async () => {
      const rig = new PipelineRig();
      const counter = rig.counter({ labelNames: ['a', 'b'] });
      counter.inc({ a: value, b: 'other' });
      counter.labels(value, 'other').inc();
      counter.inc({ b: value, a: 'other' });
      const [first, second] = await rig.samples();
      expect([...(first?.labels ?? [])]).to.deep.equal([
        ['a', value],
        ['b', 'other'],
      ]);
      expect(first?.value).to.equal(2);
      expect(second?.labels.get('b')).to.equal(value);
      const { values } = await counter.get();
      expect(values.map(({ labels }) => labels)).to.deep.equal([
        { a: value, b: 'other' },
        { a: 'other', b: value },
      ]);
    });
  }

  it('never merge, whichever separators they hold', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b'] });
    let sets = 0;
    for (const a of HOSTILE) {
      for (const b of HOSTILE) {
        counter.inc({ a, b }, ++sets);
      }
    }
    const samples = await rig.samples();
    expect(samples).to.have.length(sets);
    expect(samples.map(({ value }) => value)).to.deep.equal(
      Array.from({ length: sets }, (_, index) => index + 1),
    );
  });

  it('that are numbers and the same as texts are one series, whichever came first', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b', 'c'] });
    counter.inc({ a: 200, b: '1', c: 0 });
    counter.inc({ a: '200', b: 1, c: -0 });
    counter.labels(200, 1, '0').inc();
    counter.labels('200', '1', 0).inc();
    counter.labels({ a: 200, b: 1, c: 0 }).inc();
    counter.inc({ a: 200, b: '1', c: 0 });
    counter.inc({ a: 1e21, b: 0.1, c: Number.NaN });
    counter.inc({ a: '1e+21', b: '0.1', c: 'NaN' });
    expect(await totals(rig)).to.deep.equal({
      '[["a","200"],["b","1"],["c","0"]]': 6,
      '[["a","1e+21"],["b","0.1"],["c","NaN"]]': 2,
    });
  });

  it('that are left out are the same as empty ones, which is what they are to Prometheus', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b'] });
    counter.inc({ a: 'x' });
    counter.inc({ a: 'x', b: '' });
    counter.labels('x', '').inc();
    counter.inc({ a: 'x', b: undefined } as never);
    counter.inc({ a: '', b: '' });
    counter.inc({});
    counter.inc();
    expect(await totals(rig)).to.deep.equal({ '[["a","x"]]': 4, '[["a",""],["b",""]]': 3 });
  });

  it('with lone surrogates are shown once, as U+FFFD', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    for (const a of ['\ud800', '\udfff', '\ufffd', '\ud800', '\ud83d', '\ud83d\ude80']) {
      counter.inc({ a });
    }
    expect(await totals(rig)).to.deep.equal({ '[["a","�"]]': 5, '[["a","🚀"]]': 1 });
  });

  it('of 4 kB are kept whole, by the page and by get()', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a'] });
    // Seven bytes once escaped.
    const a = 'x"\\\n'.repeat(580);
    counter.inc({ a });
    const [sample] = await rig.samples();
    expect(sample?.labels.get('a') === a).to.equal(true);
    const { values } = await counter.get();
    expect(values[0]?.labels['a'] === a).to.equal(true);
  });
});

describe('label names', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

  it('that every object has are labels like others', async () => {
    for (const name of names) {
      const rig = new PipelineRig();
      const counter = rig.counter({ labelNames: [name] });
      counter.inc({ [name]: 'x' });
      counter.labels('y').inc();
      expect(await totals(rig), name).to.deep.equal({
        [JSON.stringify([[name, 'x']])]: 1,
        [JSON.stringify([[name, 'y']])]: 1,
      });
      const { values } = await counter.get();
      expect(Object.entries(values[0]?.labels ?? {}), name).to.deep.equal([[name, 'x']]);
    }
  });

  it('that every object has are not given by an object that does not have them itself', async () => {
    const rig = new PipelineRig();
    rig.counter({ labelNames: names }).inc({});
    expect(await totals(rig)).to.deep.equal({ '[]': 1 });
  });

  it('may come in any order, and are shown in the first one', async () => {
    const rig = new PipelineRig();
    const counter = rig.counter({ labelNames: ['a', 'b', 'c'] });
    counter.inc({ c: '3', a: '1', b: '2' });
    counter.inc({ a: '1', b: '2', c: '3' });
    expect(await totals(rig)).to.deep.equal({ '[["c","3"],["a","1"],["b","2"]]': 2 });
    counter.labels('4', '5', '6').inc();
    counter.labels({ b: '8', a: '7' }).inc();
    expect(Object.keys(await totals(rig)).slice(1)).to.deep.equal([
      '[["a","4"],["b","5"],["c","6"]]',
      '[["b","8"],["a","7"]]',
    ]);
  });

  it('of the metric are its own, whatever becomes of the array that gave them', async () => {
    const rig = new PipelineRig();
    const labelNames = ['a', 'b'];
    const counter: Counter = rig.counter({ labelNames });
    labelNames.length = 0;
    counter.inc({ a: '1' });
    counter.inc();
    expect(await totals(rig)).to.deep.equal({ '[["a","1"]]': 1, '[]': 1 });
  });
});

describe('a metric without labels', () => {
  it('counts under an empty object into its own series, and not into another metric’s', async () => {
    const rig = new PipelineRig();
    const first = rig.counter({ name: 'first_total' });
    const second = rig.counter({ name: 'second_total' });
    const histogram = rig.histogram({ buckets: [1] });
    second.inc({}, 5);
    second.labels({}).inc();
    histogram.observe({}, 2);
    histogram.startTimer()();
    const totalOf = async (metric: Counter): Promise<number | undefined> =>
      (await metric.get()).values[0]?.value;
    expect(await totalOf(first)).to.equal(0);
    expect(await totalOf(second)).to.equal(6);
    const { values } = await histogram.get();
    expect(values.find(({ metricName }) => metricName === 'test_seconds_count')?.value).to.equal(2);
  });
});
