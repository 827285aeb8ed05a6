import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';
import { type ServiceModel, SimulatedService } from './simulated-service.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;

const QUIET: ServiceModel = {
  rate: () => 5,
  latency: () => 0.03,
  latencyDeviation: 0.6,
  lagMs: () => 2,
  hitRate: () => 0.9,
  errorRate: () => 0.002,
};

/** Goes round once a day. */
function daily(seconds: number): number {
  return Math.sin((2 * Math.PI * seconds) / DAY);
}

const DAILY: ServiceModel = {
  ...QUIET,
  rate: (seconds) => 10 * (1 + 0.8 * daily(seconds)),
  latency: (seconds) => 0.03 * (1 + 0.3 * daily(seconds)),
  hitRate: (seconds) => 0.85 + 0.05 * daily(seconds),
};

/** Volume, latency and hit rate wander by the minute and come back within ten; now and then a minute has four times the requests. */
function* noisyMinutes(random: Random): Generator<ServiceModel> {
  let [rate, latency, hits] = [0, 0, 0];
  const wander = (from: number): number => from * 0.9 + random.normal() * 0.436;
  for (;;) {
    [rate, latency, hits] = [wander(rate), wander(latency), wander(hits)];
    const burst = random.unit() < 0.02 ? 4 : 1;
    const [perSecond, median] = [8 * Math.exp(0.3 * rate) * burst, 0.04 * Math.exp(0.2 * latency)];
    const hitRate = 0.85 + 0.05 * Math.tanh(hits);
    yield {
      rate: () => perSecond,
      latency: () => median,
      latencyDeviation: 0.9,
      lagMs: () => (random.unit() < 0.01 ? 120 : 8),
      hitRate: () => hitRate,
      errorRate: () => 0.01,
    };
  }
}

const DAYS = Array.from({ length: 10 }, (_, index) => index + 1);

const PLANTED = [
  ['percentile_regression', 'a latency that doubles', { latency: () => 0.06 }],
  ['cache_efficiency', 'a cache that collapses', { hitRate: () => 0.3 }],
  ['cache_efficiency', 'a hit rate that falls by 30 points', { hitRate: () => 0.6 }],
  ['loop_lag', 'a loop that lags', { lagMs: () => 300 }],
  ['volume_anomaly', 'three times the requests', { rate: () => 15 }],
  ['volume_anomaly', 'a fifth of the requests', { rate: () => 1 }],
  ['volume_anomaly', 'no requests', { rate: () => 0 }],
] as const;

describe(`the reliability detectors on simulated traffic, seed ${runSeed}`, function () {
  this.timeout(120_000);

  for (const [name, what, change] of PLANTED) {
    it(`report ${what} within two windows, and nothing before`, () => {
      const service = new SimulatedService(new Random());
      service.run(QUIET, 2 * HOUR);
      expect(service.raised).to.deep.equal([]);
      service.run({ ...QUIET, ...change }, HOUR / 4);
      expect(service.windowsUntil(name, 2 * HOUR)).to.be.at.most(2);
      const { value, threshold, since, evidence } = service.detector(name);
      expect(value).to.be.a('number');
      expect(threshold).to.be.a('number');
      expect(Date.parse(since ?? '')).to.be.greaterThan(0);
      expect(Object.values(evidence)).to.include.members([Object.values(evidence)[0]]);
    });
  }

  it('take a lasting change for how it is, an hour later', () => {
    const service = new SimulatedService(new Random());
    service.run(QUIET, 2 * HOUR);
    const changed = { ...QUIET, latency: () => 0.06, rate: () => 15 };
    service.run(changed, 2 * HOUR);
    expect(service.detector('percentile_regression').state).to.equal('ok');
    expect(service.detector('volume_anomaly').state).to.equal('ok');
  });

  it('say that they have too little data at first, and where there is nearly no traffic', () => {
    const service = new SimulatedService(new Random());
    service.run(QUIET, 60);
    for (const name of ['percentile_regression', 'cache_efficiency', 'volume_anomaly'] as const) {
      expect(service.detector(name).state, name).to.equal('insufficient_data');
    }
    const idle = new SimulatedService(new Random());
    idle.run({ ...QUIET, rate: () => 0.02 }, 3 * HOUR);
    for (const name of ['percentile_regression', 'cache_efficiency', 'volume_anomaly'] as const) {
      expect(idle.detector(name).state, name).to.equal('insufficient_data');
    }
    expect(idle.detector('loop_lag').state).to.equal('ok');
  });

  // Seeds that are always the same, as docs/health.md states what comes of them.
  for (const [what, model] of [
    ['a quiet day', QUIET],
    ['a day whose requests come and go by a factor of nine', DAILY],
  ] as const) {
    it(`raise no alarm in ${what}`, () => {
      for (const seed of DAYS) {
        const service = new SimulatedService(new Random(seed));
        service.run(model, DAY);
        expect(service.raised, `seed ${seed}`).to.deep.equal([]);
      }
    });
  }

  it('raise 20 alarms at most in ten noisy days, which docs/health.md has 15 of', () => {
    let alarms = 0;
    for (const seed of DAYS) {
      const service = new SimulatedService(new Random(seed));
      const minutes = noisyMinutes(new Random(seed + 100));
      while (service.seconds < DAY) service.run(minutes.next().value as ServiceModel, 60);
      alarms += service.raised.length;
    }
    expect(alarms).to.be.at.most(20);
  });

  it('go on where another thread was, as all that they remember lies in shared memory', () => {
    const service = new SimulatedService(new Random());
    service.run(QUIET, 2 * HOUR);
    service.replaceEvaluator();
    service.run({ ...QUIET, latency: () => 0.06 }, HOUR / 6);
    expect(service.windowsUntil('percentile_regression', 2 * HOUR)).to.be.at.most(2);
  });
});
