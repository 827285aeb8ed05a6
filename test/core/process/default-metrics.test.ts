import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, type MetricObject, Pipeline, Registry } from '@offloop/core';
import { expect } from 'chai';
import prom from 'prom-client';
import { type ParsedSample, parseExposition } from '../../support/exposition-parser.js';
import { refusalOf } from '../refusal.js';

const OWN = ['', '_summary', '_histogram'].map((part) => `nodejs_eventloop_utilization${part}`);

class Rig {
  readonly pipeline = new Pipeline();
  readonly registry = new Registry(this.pipeline);
  readonly handle;

  constructor(config: Parameters<typeof collectDefaultMetrics>[0] = {}) {
    this.handle = collectDefaultMetrics({ register: this.registry, ...config });
  }

  async samples(): Promise<ParsedSample[]> {
    return parseExposition(await this.registry.metrics()).flatMap(({ samples }) => [...samples]);
  }

  async value(name: string): Promise<number | undefined> {
    return (await this.samples()).find((sample) => sample.name === name)?.value;
  }
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
}

describe('collectDefaultMetrics()', () => {
  const rigs: Rig[] = [];
  const theirs = new prom.Registry();

  function create(config?: Parameters<typeof collectDefaultMetrics>[0]): Rig {
    const rig = new Rig(config);
    rigs.push(rig);
    return rig;
  }

  before(() => {
    prom.collectDefaultMetrics({ register: theirs, labels: { app: 'x' }, prefix: 'p_' });
  });
  afterEach(() => {
    for (const rig of rigs.splice(0)) rig.handle.stop();
  });

  it('registers prom-client’s metrics: names, order, types, helps, labels and aggregators', async () => {
    const { registry } = create({ labels: { app: 'x' }, prefix: 'p_' });
    const shapeOf = ({ name, type, help, aggregator }: MetricObject | prom.MetricObject) => ({
      name,
      type,
      help,
      aggregator,
    });
    const json = await registry.getMetricsAsJSON();
    const shared = json.filter(({ name }) => !OWN.includes(name.slice(2)));
    expect(shared.map(shapeOf)).to.deep.equal((await theirs.getMetricsAsJSON()).map(shapeOf));
    expect(json).to.have.length(shared.length + OWN.length);
    for (const { name } of shared) {
      const twin = theirs.getSingleMetric(name) as unknown as { labelNames: string[] };
      expect(registry.getSingleMetric(name)?.family.entry.labelNames, name).to.deep.equal(
        twin.labelNames,
      );
    }
    // As prom-client 0.16 has it.
    const groups = [...prom.collectDefaultMetrics.metricsList];
    groups.splice(groups.indexOf('eventLoopLag') + 1, 0, 'eventLoopUtilization');
    expect(collectDefaultMetrics.metricsList).to.deep.equal(groups);
  });

  it('gives samples under the same label sets', async () => {
    const rig = create({ labels: { app: 'x' }, prefix: 'p_' });
    const keysOf = (page: string) =>
      parseExposition(page)
        .flatMap(({ samples }) => [...samples])
        .filter(({ name }) => !/gc_duration|active_|utilization/.test(name))
        .map(({ name, labels }) => JSON.stringify([name, ...labels]));
    await theirs.metrics();
    // prom-client's own page has `Nan` in it before its first sample.
    const theirPage = (await theirs.metrics()).replaceAll(' Nan\n', ' NaN\n');
    expect(keysOf(await rig.registry.metrics())).to.deep.equal(keysOf(theirPage));
  });

  it('gives plausible values', async () => {
    const rig = create();
    await sleep(20);
    const samples = await rig.samples();
    const value = (name: string) => samples.find((sample) => sample.name === name)?.value ?? -1;
    const { user, system } = process.cpuUsage();
    expect(value('process_cpu_seconds_total')).to.be.within(0.01, (user + system) / 1e6);
    expect(value('process_cpu_seconds_total')).to.be.closeTo(
      value('process_cpu_user_seconds_total') + value('process_cpu_system_seconds_total'),
      1e-9,
    );
    expect(value('process_start_time_seconds')).to.be.closeTo(
      Date.now() / 1000 - process.uptime(),
      2,
    );
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    expect(value('process_resident_memory_bytes')).to.be.within(rss / 2, rss * 2);
    expect(value('nodejs_heap_size_total_bytes')).to.be.within(heapTotal / 2, heapTotal * 2);
    expect(value('nodejs_heap_size_used_bytes')).to.be.within(heapUsed / 4, heapUsed * 4);
    expect(value('nodejs_external_memory_bytes')).to.be.above(0);
    if (process.platform === 'linux') {
      expect(value('process_virtual_memory_bytes')).to.be.above(rss);
      expect(value('process_heap_bytes')).to.be.above(0);
      expect(value('process_open_fds')).to.be.within(3, value('process_max_fds'));
    }
    for (const part of ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'])
      expect(value(`nodejs_eventloop_lag${part}_seconds`), part).to.be.within(0, 60);
    expect(value('nodejs_eventloop_utilization')).to.be.within(0, 1);
    expect(value('nodejs_active_resources_total')).to.be.at.least(0);
    const version = samples.find(({ name }) => name === 'nodejs_version_info');
    expect(version?.value).to.equal(1);
    expect(version?.labels.get('version')).to.equal(process.version);
    expect(version?.labels.get('major')).to.equal(process.versions.node.split('.')[0]);
  });

  it('follows CPU time, which never falls', async () => {
    const rig = create();
    const before = (await rig.value('process_cpu_seconds_total')) as number;
    block(50);
    const after = (await rig.value('process_cpu_seconds_total')) as number;
    // At least a part of the block: the machine may have had other things to do.
    expect(after - before).to.be.within(0.005, 5);
  });

  it('shows a block of 300 ms at the next scrape, at the one after it, and in the turn after it', async () => {
    const rig = create();
    await sleep(120);
    block(300);
    // What passed of the interval before the block is not in it: at most 100 ms, and 1 ms is the timer's.
    const least = 0.3 - 0.101;
    expect(await rig.value('nodejs_eventloop_lag_max_seconds')).to.be.within(least, 10);
    expect(await rig.value('nodejs_eventloop_lag_max_seconds')).to.be.within(least, 10);
    await sleep(150);
    expect(await rig.value('nodejs_eventloop_lag_max_seconds')).to.be.within(least, 10);
  });

  it('shows a block that begins in the turn of the call', async () => {
    const rig = create({ eventLoopMonitoringPrecision: 10 });
    block(200);
    expect(await rig.value('nodejs_eventloop_lag_max_seconds')).to.be.within(0.18, 10);
    expect(await rig.value('nodejs_eventloop_lag_seconds')).to.be.within(0.18, 10);
  });

  it('counts every garbage collection of a batch', async () => {
    const rig = create();
    await rig.registry.metrics();
    const majors = async () =>
      (await rig.samples()).find(
        ({ name, labels }) =>
          name === 'nodejs_gc_duration_seconds_count' && labels.get('kind') === 'major',
      )?.value ?? 0;
    const before = await majors();
    for (let time = 0; time < 5; time++) collectGarbage();
    // Node hands entries over in a later turn.
    for (let turn = 0; turn < 200 && (await majors()) < before + 5; turn++) await sleep(1);
    expect(await majors()).to.be.at.least(before + 5);
  });

  it('lays no memory out: the program may still have options to give', async () => {
    const rig = create();
    collectGarbage();
    await sleep(20);
    expect(rig.pipeline.isStarted).to.equal(false);
    rig.pipeline.configure({ ring: { capacityRecords: 1024 } });
    expect((await rig.samples()).map(({ name }) => name)).to.include(
      'nodejs_gc_duration_seconds_count',
    );
  });

  it('shows a resource that is gone as 0', async () => {
    const rig = create();
    const servers = async () =>
      (await rig.samples()).find(
        ({ name, labels }) =>
          name === 'nodejs_active_resources' && labels.get('type') === 'TCPServerWrap',
      )?.value;
    const before = (await servers()) ?? 0;
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await servers()).to.equal(before + 1);
    server.close();
    await once(server, 'close');
    // Node's own list has it for a turn or two longer.
    for (let turn = 0; turn < 200 && (await servers()) !== before; turn++) await sleep(1);
    expect(await servers()).to.equal(before);
  });

  it('is undone by stop(), called however often', async () => {
    const before = process.getActiveResourcesInfo().toSorted();
    const rig = create();
    expect(process.getActiveResourcesInfo().toSorted()).to.deep.equal(before);
    const other = new Gauge({ name: 'other', help: 'h', registers: [rig.registry] });
    rig.handle.stop();
    rig.handle.stop();
    expect(rig.registry.getMetricsAsArray()).to.deep.equal([other]);
    expect(process.getActiveResourcesInfo().toSorted()).to.deep.equal(before);
    collectDefaultMetrics({ register: rig.registry }).stop();
  });

  it('leaves a metric alone that has taken a name of it meanwhile', () => {
    const rig = create();
    rig.registry.removeSingleMetric('process_open_fds');
    const taken = new Gauge({ name: 'process_open_fds', help: 'h', registers: [rig.registry] });
    rig.handle.stop();
    expect(rig.registry.getMetricsAsArray()).to.deep.equal([taken]);
  });

  it('leaves nothing behind when a name is taken', () => {
    const registry = new Registry(new Pipeline());
    const taken = new Gauge({ name: 'nodejs_version_info', help: 'h', registers: [registry] });
    expect(
      refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
        collectDefaultMetrics({ register: registry }),
      ),
    ).to.equal('A metric with the name nodejs_version_info has already been registered.');
    expect(registry.getMetricsAsArray()).to.deep.equal([taken]);
  });

  it('refuses what prom-client refuses, and an interval that is none', () => {
    for (const config of [3, 'x', true]) {
      expect(
        refusalOf('OFFLOOP_ERR_ARGUMENT', () => collectDefaultMetrics(config as never)),
      ).to.equal('config must be null, undefined, or an object');
    }
    for (const interval of [0, -1, Number.NaN, '10' as never, 20_000]) {
      for (const option of [
        'eventLoopMonitoringPrecision',
        'eventLoopUtilizationTimeout',
      ] as const) {
        const register = new Registry(new Pipeline());
        const message = refusalOf('OFFLOOP_ERR_OPTION_RANGE', () =>
          collectDefaultMetrics({ register, [option]: interval }),
        );
        expect(() => collectDefaultMetrics({ register, [option]: interval })).to.throw(RangeError);
        expect(message).to.include(option);
      }
    }
  });

  it('observes the loop’s utilisation as often as the time asks for, a block that it missed included', async () => {
    const rig = create({
      labels: { app: 'x' },
      eventLoopMonitoringPrecision: 10,
      eventLoopUtilizationTimeout: 20,
      eventLoopUtilizationBuckets: [0.5, 1],
    });
    const bucketsOf = async () => {
      const samples = (await rig.samples()).filter(
        ({ name, labels }) =>
          name === 'nodejs_eventloop_utilization_histogram_bucket' && labels.get('app') === 'x',
      );
      return new Map(samples.map(({ labels, value }) => [labels.get('le'), value]));
    };
    await bucketsOf();
    await sleep(30);
    const before = await bucketsOf();
    block(400);
    await sleep(30);
    const after = await bucketsOf();
    const busy = (buckets: typeof before) => (buckets.get('1') ?? 0) - (buckets.get('0.5') ?? 0);
    expect(busy(after) - busy(before)).to.be.at.least(19);
    const samples = await rig.samples();
    const found = (name: string) => samples.find((sample) => sample.name.endsWith(name));
    expect(found('utilization_summary_count')?.value).to.equal(
      found('utilization_histogram_count')?.value,
    );
    expect(found('utilization_summary')?.labels.get('app')).to.equal('x');
  });

  it('takes the buckets of garbage collections', () => {
    const rig = create({ gcDurationBuckets: [0.5, 7] });
    const gc = rig.registry.getSingleMetric('nodejs_gc_duration_seconds');
    expect(gc?.family.entry.bounds).to.deep.equal([0.5, 7]);
  });

  it('does not keep a process alive', () => {
    const core = import.meta.resolve('@offloop/core');
    const code = `const { collectDefaultMetrics, register } = await import(${JSON.stringify(core)});
      collectDefaultMetrics();
      process.stdout.write(String((await register.metrics()).includes('process_cpu_seconds_total')));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      timeout: 30_000,
      encoding: 'utf8',
    });
    expect(output).to.equal('true');
  });
});
