import { readFindings } from '@offloop/core/internal/health/findings.js';
import { healthReport, isServing } from '@offloop/core/internal/health/health-report.js';
import { expect } from 'chai';
import { Random } from '../../support/random.js';
import { type ServiceModel, SimulatedService } from './simulated-service.js';

const GOOD: ServiceModel = {
  rate: () => 10,
  latency: () => 0.03,
  latencyDeviation: 0.6,
  lagMs: () => 2,
  hitRate: () => 0.9,
  errorRate: () => 0,
};

const CONTEXT = { engine: 'inline', engineState: 'running', uptimeSeconds: 1, checks: [] } as const;

describe('healthReport', () => {
  function codesAfter(service: SimulatedService, model: ServiceModel, seconds: number): string[] {
    service.run(model, seconds);
    return healthReport(service.rig.segment, CONTEXT).reasons.map(({ code }) => code);
  }

  it('is unhealthy while most requests fail, and after that not at once healthy', () => {
    const service = new SimulatedService(new Random());
    expect(codesAfter(service, GOOD, 120)).to.deep.equal([]);
    const broken = { ...GOOD, errorRate: () => 0.9 };
    expect(codesAfter(service, broken, 10)).to.deep.equal([]);
    expect(codesAfter(service, broken, 50)).to.deep.equal(['error_rate']);
    const { value, threshold, since } = healthReport(service.rig.segment, CONTEXT).reasons[0] ?? {};
    expect(value).to.be.within(0.8, 1);
    expect(threshold).to.equal(0.5);
    expect(since).to.match(/^2026-01-01T00:0[23]/);
    expect(codesAfter(service, GOOD, 10)).to.deep.equal(['error_rate']);
    expect(codesAfter(service, GOOD, 50)).to.deep.equal([]);
  });

  it('counts failures before the first look as well', () => {
    const service = new SimulatedService(new Random());
    // The first look comes with the first second.
    const burst = { ...GOOD, rate: () => 40, errorRate: () => 1 };
    expect(codesAfter(service, burst, 1)).to.deep.equal([]);
    expect(codesAfter(service, { ...GOOD, rate: () => 0 }, 15)).to.deep.equal(['error_rate']);
  });

  it('is unhealthy while the loop lags', () => {
    const service = new SimulatedService(new Random());
    expect(codesAfter(service, { ...GOOD, lagMs: () => 4_000 }, 60)).to.deep.equal([
      'event_loop_lag',
    ]);
    expect(codesAfter(service, GOOD, 60)).to.deep.equal([]);
  });

  it('takes few failing requests for no rate', () => {
    const service = new SimulatedService(new Random());
    const rare = { ...GOOD, rate: () => 0.2, errorRate: () => 1 };
    expect(codesAfter(service, rare, 300)).to.deep.equal([]);
  });

  it('names what is wrong with checks and the engine, and says which of it keeps requests away', () => {
    const { segment } = new SimulatedService(new Random()).rig;
    const check = {
      name: 'db',
      state: 'failing',
      sinceMs: 1,
      endedMs: 1,
      durationMs: 2,
      error: 'no',
    } as const;
    const failing = healthReport(segment, { ...CONTEXT, checks: [check] });
    expect(failing.status).to.equal('unhealthy');
    expect(failing.reasons[0]).to.include({ code: 'check', check: 'db' });
    expect(failing.checks[0]).to.include({ name: 'db', state: 'failing', error: 'no' });
    const degraded = healthReport(segment, { ...CONTEXT, engineState: 'degraded' });
    expect([degraded.status, isServing(degraded)]).to.deep.equal(['degraded', true]);
    const closed = healthReport(segment, { ...CONTEXT, engineState: 'closed' });
    expect([closed.status, isServing(closed)]).to.deep.equal(['closed', false]);
    const blocked = healthReport(segment, { ...CONTEXT, unansweredMs: 5_000 });
    expect(blocked.reasons[0]).to.include({ code: 'event_loop_stall', value: 5_000 });
    expect(healthReport(segment, { ...CONTEXT, unansweredMs: 4_999 }).status).to.equal('ok');
  });

  it('reads what a thread that died while it wrote has left', () => {
    const service = new SimulatedService(new Random());
    service.run({ ...GOOD, errorRate: () => 1 }, 60);
    const { segment } = service.rig;
    Atomics.add(segment.healthCells, 0, 1);
    expect(readFindings(segment).error_rate.isOn).to.equal(true);
    service.run(GOOD, 60);
    expect(readFindings(segment).error_rate.isOn).to.equal(false);
    expect(Atomics.load(segment.healthCells, 0) % 2).to.equal(0);
  });
});
