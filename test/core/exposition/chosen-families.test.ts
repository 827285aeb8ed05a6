import { Summary } from '@offloop/core';
import { chosenFamilies } from '@offloop/core/adapter';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';

describe('chosenFamilies', () => {
  function chosenOf(names: readonly string[] | undefined) {
    const rig = new PipelineRig();
    rig.counter({ name: 'a_total' });
    rig.histogram({ name: 'b_seconds' });
    rig.counter({ name: 'c_count' });
    new Summary({ name: 'd_seconds', help: 'h', registers: [rig.registry] });
    const other = new PipelineRig().counter({ name: 'elsewhere_total' });
    rig.registry.registerMetric(other);
    const ids = rig.registry.familyIds();
    const { families, includePipeline } = chosenFamilies(rig.registry, names);
    return [families.map((id) => ids.indexOf(id)), includePipeline];
  }

  it('is everything where nothing is chosen', () => {
    expect(chosenOf(undefined)).to.deep.equal([[0, 1, 2, 3], true]);
  });

  for (const [names, families, pipeline] of [
    [['a_total'], [0], []],
    [['c_count', 'a_total', 'a_total'], [0, 2], []],
    [['b_seconds'], [1], []],
    [['b_seconds_bucket'], [1], []],
    [['b_seconds_sum', 'b_seconds_count'], [1], []],
    [['d_seconds'], [3], []],
    [['d_seconds_count'], [3], []],
    [['d_seconds_sum'], [3], []],
    [['d_seconds_bucket'], [], []],
    [['a_total_sum', 'c', 'b', 'elsewhere_total', '', '_sum', '__proto__'], [], []],
    [['offloop_series', 'offloop_nothing'], [], ['offloop_series']],
    [
      ['offloop_series', 'offloop_batches_total', 'a_total'],
      [0],
      ['offloop_batches_total', 'offloop_series'],
    ],
  ] as const) {
    it(`finds ${JSON.stringify(names)}`, () => {
      expect(chosenOf(names)).to.deep.equal([families, pipeline]);
    });
  }
});
