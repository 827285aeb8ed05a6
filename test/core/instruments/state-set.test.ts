import { StateSet } from '@offloop/core';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

const STATES = ['closed', 'open', 'half_open'] as const;

describe('StateSet', () => {
  const make = (rig = new PipelineRig()) => ({
    rig,
    breaker: new StateSet({
      name: 'breaker',
      help: 'b',
      states: STATES,
      registers: [rig.registry],
    }),
  });

  it('shows 1 for the state that holds and 0 for the others, under a label named like the metric', async () => {
    const { rig, breaker } = make();
    breaker.set('closed');
    breaker.set('open');
    const page = await rig.registry.metrics();
    expect(page).to.equal(
      [
        '# HELP breaker b',
        '# TYPE breaker gauge',
        'breaker{breaker="closed"} 0',
        'breaker{breaker="open"} 1',
        'breaker{breaker="half_open"} 0',
        '',
      ].join('\n'),
    );
  });

  it('keeps label sets apart, and lets states hold at the same time', async () => {
    const rig = new PipelineRig();
    const flags = new StateSet({
      name: 'flags',
      help: 'f',
      labelNames: ['host'],
      states: ['a', 'b'],
      registers: [rig.registry],
    });
    flags.set({ host: 'x' }, 'a');
    flags.toggle({ host: 'x' }, 'b', true);
    flags.toggle({ host: 'y' }, 'a', false);
    const values = (await flags.get()).values.map(({ labels, value }) => [
      labels['host'],
      labels['flags'],
      value,
    ]);
    expect(values).to.deep.equal([
      ['x', 'a', 1],
      ['x', 'b', 1],
      ['y', 'a', 0],
      ['y', 'b', 0],
    ]);
  });

  it('refuses a state that there is not, and changes nothing', async () => {
    const { breaker } = make();
    breaker.set('open');
    expect(refusalOf('OFFLOOP_ERR_VALUE', () => breaker.set('ajar' as never))).to.contain('ajar');
    expect((await breaker.get()).values.map(({ value }) => value)).to.deep.equal([0, 1, 0]);
  });

  it('refuses states that are none, twice there or no texts, and a name that no label can have', () => {
    const rig = new PipelineRig();
    for (const states of [undefined, [], ['a', 'a'], [1], [''], 'ab']) {
      refusalOf(
        'OFFLOOP_ERR_METRIC_CONFIG',
        () =>
          new StateSet({
            name: 's',
            help: 's',
            states: states as never,
            registers: [rig.registry],
          }),
      );
    }
    refusalOf(
      'OFFLOOP_ERR_METRIC_CONFIG',
      () => new StateSet({ name: 'a:b', help: 's', states: ['x'], registers: [rig.registry] }),
    );
    refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => new StateSet(undefined as never));
  });

  it('is found again by getOrCreate(), unless its states differ', () => {
    const { rig, breaker } = make();
    const config = { name: 'breaker', help: 'b', registers: [rig.registry] };
    expect(StateSet.getOrCreate({ ...config, states: STATES })).to.equal(breaker);
    refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
      StateSet.getOrCreate({ ...config, states: ['x'] }),
    );
  });
});
