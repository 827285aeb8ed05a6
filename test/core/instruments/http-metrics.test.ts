import { HttpMetrics } from '@offloop/core/adapter';
import { expect } from 'chai';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

function createHttp(options: ConstructorParameters<typeof PipelineRig>[0] = {}) {
  const rig = new PipelineRig(options);
  return { rig, http: new HttpMetrics(rig.pipeline, rig.registry) };
}

describe('HTTP metrics', () => {
  it('show the same numbers of requests as a counter and as a histogram', async () => {
    const { rig, http } = createHttp();
    for (let index = 0; index < 500; index++) {
      const id = http.seriesIdOf('GET', `/route/${index % 7}`, index % 11 === 0 ? '500' : '200');
      http.record(id, index / 100);
    }
    const [total, duration] = await rig.families();
    expect(total).to.include({ name: 'http_requests_total', type: 'counter' });
    const counts = duration?.samples.filter(({ name }) => name.endsWith('_count'));
    expect(total?.samples.map(({ labels, value }) => [[...labels], value])).to.deep.equal(
      counts?.map(({ labels, value }) => [[...labels], value]),
    );
    expect(total?.samples.reduce((sum, { value }) => sum + value, 0)).to.equal(500);
  });

  it('stand in the order total, duration, in flight, with help and type', async () => {
    const { rig } = createHttp();
    expect((await rig.families()).map(({ name, type }) => [name, type])).to.deep.equal([
      ['http_requests_total', 'counter'],
      ['http_request_duration_seconds', 'histogram'],
      ['http_requests_in_flight', 'gauge'],
    ]);
  });

  it('have the option’s bounds, in seconds', async () => {
    const { rig, http } = createHttp({ http: { bucketsMs: [0.5, 25, 100, 1000, 60_000] } });
    http.record(http.seriesIdOf('GET', '/', '200'), 0.1);
    const page = await rig.registry.metrics();
    expect([...page.matchAll(/le="([^"]+)"/g)].map(([, le]) => le)).to.deep.equal([
      '0.0005',
      '0.025',
      '0.1',
      '1',
      '60',
      '+Inf',
    ]);
  });

  it('count requests in flight at once, without a record', async () => {
    const { rig, http } = createHttp();
    http.requestStarted();
    http.requestStarted();
    http.requestEnded();
    const value = async () =>
      (await rig.samples()).find(({ name }) => name === 'http_requests_in_flight')?.value;
    expect(await value()).to.equal(1);
    http.requestEnded();
    expect(await value()).to.equal(0);
    expect(rig.pipeline.totals().offeredRecords).to.equal(0);
  });

  it('publish each request, so that another thread can count it while this one is blocked', () => {
    const { rig, http } = createHttp();
    const { control } = rig.pipeline.producer.segment;
    http.record(http.seriesIdOf('GET', '/', '200'), 0.1);
    expect(control[32]).to.equal(1);
  });

  it('fold routes beyond the limit into the overflow series', async () => {
    const { rig, http } = createHttp({ maxSeriesPerMetric: 2 });
    for (const route of ['/a', '/b', '/c', '/d']) {
      http.record(http.seriesIdOf('GET', route, '200'), 0.1);
    }
    const totals = (await rig.samples()).filter(({ name }) => name === 'http_requests_total');
    expect(totals.map(({ labels, value }) => [labels.get('route'), value])).to.deep.equal([
      ['/a', 1],
      ['/b', 1],
      ['__overflow__', 2],
    ]);
  });

  it('are refused a second time, and the first ones go on', async () => {
    const { rig, http } = createHttp();
    const message = refusalOf(
      'OFFLOOP_ERR_DUPLICATE_METRIC',
      () => new HttpMetrics(rig.pipeline, rig.registry),
    );
    expect(message).to.equal(
      'A metric with the name http_requests_total has already been registered.',
    );
    http.record(http.seriesIdOf('GET', '/', '200'), 0.1);
    expect(await rig.registry.metrics()).to.include(
      'http_requests_total{method="GET",route="/",status_code="200"} 1\n',
    );
  });

  it('are refused before memory is laid out when a name is taken', () => {
    const rig = new PipelineRig();
    rig.counter({ name: 'http_requests_in_flight' });
    refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () => new HttpMetrics(rig.pipeline, rig.registry));
    expect(rig.pipeline.isStarted).to.equal(false);
    expect(rig.registry.getSingleMetric('http_requests_total')).to.equal(undefined);
  });

  it('are in the registry’s JSON', async () => {
    const { rig, http } = createHttp({ http: { bucketsMs: [100] } });
    http.record(http.seriesIdOf('GET', '/', '200'), 0.05);
    const labels = { method: 'GET', route: '/', status_code: '200' };
    const [total, duration, inFlight] = await rig.registry.getMetricsAsJSON();
    expect(total).to.include({ name: 'http_requests_total', type: 'counter', aggregator: 'sum' });
    expect(total?.values).to.deep.equal([{ value: 1, labels }]);
    expect(duration?.values.map(({ metricName, value }) => [metricName, value])).to.deep.equal([
      ['http_request_duration_seconds_bucket', 1],
      ['http_request_duration_seconds_bucket', 1],
      ['http_request_duration_seconds_sum', 0.05],
      ['http_request_duration_seconds_count', 1],
    ]);
    expect(inFlight?.values).to.deep.equal([{ value: 0, labels: {} }]);
  });
});
