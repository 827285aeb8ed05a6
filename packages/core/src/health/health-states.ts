import type { HealthReport } from './health-report.js';
import type { DetectorReport, ReliabilityReport } from './reliability-report.js';

/** What has changed: the service's status, or one detector. */
export interface HealthChange {
  /** `health` for the status, else the detector's name. */
  readonly subject: 'health' | DetectorReport['name'];
  /** What it was: a status of `/health`; of a detector `ok` or `alarm`. */
  readonly from: string;
  /** What it is: a status of `/health`; of a detector `ok`, `alarm` or `insufficient_data`. */
  readonly to: string;
  /** Whether it is worse than it was. */
  readonly isWorse: boolean;
  /** One line for a person. */
  readonly message: string;
  /** Why the status is not `ok`. Of the status only. */
  readonly reasons?: HealthReport['reasons'];
  /** All that the detector says. Of a detector only. */
  readonly detector?: DetectorReport;
}

const STATUSES = ['ok', 'degraded', 'unhealthy', 'closed'];

/** Remembers what was told, and gives what is new. What begins well is no news. */
export class HealthStates {
  private status: HealthReport['status'] = 'ok';
  private readonly alarms = new Map<DetectorReport['name'], boolean>();

  changes(report: HealthReport, reliability: ReliabilityReport): HealthChange[] {
    const changes: HealthChange[] = [];
    if (report.status !== this.status) {
      const [from, to] = [this.status, report.status];
      this.status = to;
      const why = report.reasons.map(({ code, check }) => check ?? code).join(', ');
      changes.push({
        subject: 'health',
        from,
        to,
        isWorse: STATUSES.indexOf(to) > STATUSES.indexOf(from),
        message: `health is ${to}, and was ${from}${why === '' ? '' : `: ${why}`}`,
        reasons: report.reasons,
      });
    }
    for (const detector of reliability.detectors) {
      const isAlarm = detector.state === 'alarm';
      const wasAlarm = this.alarms.get(detector.name) ?? false;
      if (isAlarm === wasAlarm) continue;
      this.alarms.set(detector.name, isAlarm);
      changes.push({
        subject: detector.name,
        from: wasAlarm ? 'alarm' : 'ok',
        to: detector.state,
        isWorse: isAlarm,
        message: messageOf(detector),
        detector,
      });
    }
    return changes;
  }
}

function messageOf({ name, state, subject, value, threshold, unit }: DetectorReport): string {
  const of = subject === null ? '' : ` of ${subject}`;
  const numbers =
    value === null || threshold === null
      ? ''
      : `: ${round(value)} ${unit}, with the threshold at ${round(threshold)}`;
  return state === 'alarm' ? `alarm ${name}${of}${numbers}` : `${name} is over${numbers}`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
