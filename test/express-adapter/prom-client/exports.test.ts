import { createRequire } from 'node:module';
import * as offloop from '@offloop/express';
import { expect } from 'chai';
import prom from 'prom-client';

const require = createRequire(import.meta.url);

/** Of a later release of offloop. */
const NOT_YET = ['AggregatorRegistry'];

describe('exports beside prom-client 15.1.3', () => {
  it('have every name of it, in both builds', () => {
    const names = Object.keys(prom).filter((name) => !NOT_YET.includes(name));
    expect(offloop).to.include.keys(names);
    expect(require('@offloop/express')).to.include.keys(names);
  });

  it('are all of them the default as well, for programs compiled from `import client`, in both builds', () => {
    expect(offloop.default.Counter).to.equal(offloop.Counter);
    // What compilers make of such an import.
    const importDefault = (module: { readonly __esModule?: boolean }) =>
      module.__esModule === true ? module : { default: module };
    const required = require('@offloop/express');
    expect(importDefault(required)).to.have.property('default').that.equals(required);
  });

  it('have metrics, registries and children that JSON shows without the memory behind them', () => {
    const registers = [new offloop.Registry(new offloop.Pipeline())] as const;
    const counter = new offloop.Counter({
      name: 'a_total',
      help: 'h',
      labelNames: ['b'],
      registers,
    });
    counter.inc({ b: '1' });
    const gateway = new offloop.Pushgateway('http://127.0.0.1:1', {}, registers[0]);
    const metrics = offloop.createMetrics({ engine: 'inline' });
    for (const value of [counter, counter.labels('1'), registers[0], gateway, metrics])
      expect(JSON.stringify(value)).to.have.length.below(2_000);
    expect(JSON.parse(JSON.stringify(counter))).to.deep.include({ name: 'a_total', help: 'h' });
    return metrics.close();
  });

  it('have content types, and one that follows the global registry, in both builds', () => {
    const { contentType, openMetricsContentType, prometheusContentType, register } = offloop;
    expect(prometheusContentType).to.equal(prom.prometheusContentType);
    expect(openMetricsContentType).to.equal(prom.openMetricsContentType);
    expect(contentType).to.equal(prom.contentType);
    register.setContentType(openMetricsContentType);
    expect(offloop.contentType).to.equal(openMetricsContentType);
    register.setContentType(prometheusContentType);
    expect(offloop.contentType).to.equal(prometheusContentType);
    const other = new offloop.Registry();
    other.setContentType(openMetricsContentType);
    expect(offloop.contentType).to.equal(prometheusContentType);
    expect(require('@offloop/express').contentType).to.equal(prometheusContentType);
  });
});

describe('metrics of a child with labels chosen', () => {
  it('take further labels at the end of a timer, as prom-client’s do', async () => {
    const registry = new offloop.Registry(new offloop.Pipeline());
    const theirs = new prom.Registry();
    for (const [lib, registers] of [
      [offloop, [registry]],
      [prom, [theirs]],
    ] as const) {
      const common = { help: 'h', labelNames: ['a', 'b'] as const, registers: registers as never };
      const histogram = new lib.Histogram({ ...common, name: 'h', buckets: [10] });
      const gauge = new lib.Gauge({ ...common, name: 'g' });
      const summary = new lib.Summary({ ...common, name: 's', percentiles: [] });
      for (const metric of [histogram, gauge, summary]) {
        metric.labels({ a: 'x' }).startTimer()({ b: 'y' });
        metric.labels({ a: 'x', b: 'z' }).startTimer()({ b: 'w' });
        metric.labels({ a: 'x' }).startTimer()();
      }
    }
    const shown = async (page: Promise<string>) =>
      (await page).match(/^(g|h_count|s_count)\{.*\}/gm)?.sort();
    expect(await shown(registry.metrics())).to.deep.equal(await shown(theirs.metrics()));
  });
});
