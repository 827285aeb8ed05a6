import * as core from '@offloop/core';
import * as adapter from '@offloop/core/adapter';
import * as engine from '@offloop/core/engine';
import * as express from '@offloop/express';
import * as worker from '@offloop/worker';
import { expect } from 'chai';

/** What an application may type; whatever else is exported has to be kept for ever. */
describe('names that packages export', () => {
  it('are handed on by the adapter, all of core’s and worker’s', () => {
    expect(Object.keys(express)).to.include.members([...Object.keys(core), ...Object.keys(worker)]);
  });

  it('of core are those of an application, and none of an engine or an adapter', () => {
    const made = [...Object.keys(adapter), ...Object.keys(engine)];
    const both = Object.keys(core).filter((name) => made.includes(name));
    expect(both).to.deep.equal([]);
    expect(Object.keys(worker).sort()).to.deep.equal(['PoolEngine', 'Pushgateway', 'createEngine']);
    expect(Object.keys(core).sort()).to.deep.equal([
      'CacheMetricsHook',
      'Counter',
      'CounterChild',
      'DEFAULT_BUCKETS',
      'DEFAULT_PERCENTILES',
      'ERROR_CODES',
      'Gauge',
      'GaugeChild',
      'Histogram',
      'HistogramChild',
      'Info',
      'InstrumentedWebSocket',
      'OPEN_METRICS_CONTENT_TYPE',
      'OffloopError',
      'OffloopRangeError',
      'OffloopTypeError',
      'PROTOBUF_CONTENT_TYPE',
      'Pipeline',
      'Registry',
      'StateSet',
      'Summary',
      'SummaryChild',
      'TEXT_CONTENT_TYPE',
      'aggregators',
      'collectDefaultMetrics',
      'contentType',
      'default',
      'exponentialBuckets',
      'instrumentWebSocketServer',
      'isOffloopError',
      'linearBuckets',
      'openMetricsContentType',
      'processPipeline',
      'prometheusContentType',
      'register',
      'snapshotToJson',
      'validateMetricName',
    ]);
  });
});
