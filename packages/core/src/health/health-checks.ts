import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { messageOf, OffloopError, showValue } from '../errors.js';
import { type AlarmState, nextAlarm } from './hysteresis.js';

/**
 * A check of the application's own. It fails where it throws, rejects, gives `false`, or has not ended at its deadline, of which the signal tells.
 */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** How a check stands. Plain data, as it crosses threads. */
export interface CheckResult {
  /** The name under which it was added. */
  readonly name: string;
  /** `pending`: it has not ended yet. `failing` after two failures in a row, or where the first one failed; `ok` again after two successes. */
  readonly state: 'pending' | 'ok' | 'failing';
  /** Since when: Unix time, ms. */
  readonly sinceMs: number;
  /** When it last ended: Unix time, ms; 0: not yet. */
  readonly endedMs: number;
  /** How long it took then, ms. */
  readonly durationMs: number;
  /** Why it failed the last time; '' when it did not. */
  readonly error: string;
}

/** When checks run. */
export interface CheckSettings {
  readonly checkIntervalMs: number;
  readonly checkTimeoutMs: number;
}

const PATIENCE = { enterAfter: 2, leaveAfter: 2 } as const;
const NAME_LENGTH_MAX = 100;
const ERROR_LENGTH_MAX = 200;

interface RunningCheck {
  readonly check: HealthCheck;
  result: CheckResult;
  alarm: AlarmState;
  isRunning: boolean;
}

/**
 * Runs the application's checks on its thread, every so often, each with a deadline. One that hangs is not called again before it has ended, and fails
 * meanwhile. Nothing here keeps the process alive, and nothing that a check does is thrown.
 */
export class HealthChecks {
  private readonly checks = new Map<string, RunningCheck>();
  private settings: CheckSettings;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly onChange: () => void;

  /** @param onChange Called when one has come or gone, or stands otherwise. Must not throw. */
  constructor(settings: CheckSettings, onChange: () => void = () => {}) {
    this.settings = settings;
    this.onChange = onChange;
  }

  /** How each stands, in the order of their coming. */
  get results(): CheckResult[] {
    return [...this.checks.values()].map(({ result }) => result);
  }

  configure(settings: CheckSettings): void {
    const isOther = settings.checkIntervalMs !== this.settings.checkIntervalMs;
    this.settings = settings;
    if (isOther && this.timer !== undefined) this.startTimer();
  }

  /**
   * Adds a check, and runs it for the first time.
   *
   * @returns What takes it out again.
   * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a name that is taken, or is none; for what is no function.
   */
  add(name: string, check: HealthCheck): () => void {
    this.refuse(name, check);
    const added: RunningCheck = {
      check,
      result: {
        name,
        state: 'pending',
        sinceMs: Date.now(),
        endedMs: 0,
        durationMs: 0,
        error: '',
      },
      alarm: { isOn: false, streak: 0 },
      isRunning: false,
    };
    this.checks.set(name, added);
    if (!this.isClosed) {
      if (this.timer === undefined) this.startTimer();
      this.run(added);
    }
    this.onChange();
    return () => {
      if (this.checks.get(name) !== added) return;
      this.checks.delete(name);
      if (this.checks.size === 0) this.stopTimer();
      this.onChange();
    };
  }

  close(): void {
    this.isClosed = true;
    this.stopTimer();
  }

  private startTimer(): void {
    this.stopTimer();
    this.timer = setInterval(() => {
      for (const check of this.checks.values()) this.run(check);
    }, this.settings.checkIntervalMs).unref();
  }

  private stopTimer(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private run(check: RunningCheck): void {
    if (check.isRunning) return;
    check.isRunning = true;
    const { checkTimeoutMs } = this.settings;
    const startedMs = performance.now();
    const controller = new AbortController();
    const ended = (error: string): void => {
      const { state } = check.result;
      note(check, { error, durationMs: performance.now() - startedMs });
      if (check.result.state !== state) this.onChange();
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      ended(`it has not ended within ${checkTimeoutMs} ms`);
      controller.abort();
    }, checkTimeoutMs).unref();
    outcome(check.check, controller.signal).then((error) => {
      clearTimeout(timer);
      check.isRunning = false;
      if (!isLate) ended(error);
    });
  }

  private refuse(name: unknown, check: unknown): void {
    const isName = typeof name === 'string' && name !== '' && name.length <= NAME_LENGTH_MAX;
    if (!isName || this.checks.has(name)) {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        `addHealthCheck: name must be a text of 1 to ${NAME_LENGTH_MAX} characters that no other check has, got ${showValue(name)}`,
      );
    }
    if (typeof check !== 'function') {
      throw new OffloopError(
        'OFFLOOP_ERR_ARGUMENT',
        `addHealthCheck: check must be a function, got ${showValue(check)}`,
      );
    }
  }
}

/** Why it failed; '' where it did not. Never rejects. */
async function outcome(check: HealthCheck, signal: AbortSignal): Promise<string> {
  try {
    return (await check(signal)) === false ? 'it gave false' : '';
  } catch (error) {
    return (messageOf(error) || 'it failed').slice(0, ERROR_LENGTH_MAX);
  }
}

function note(
  check: RunningCheck,
  { error, durationMs }: { readonly error: string; readonly durationMs: number },
): void {
  const { result, alarm } = check;
  const isFirst = result.state === 'pending';
  const isBad = error !== '';
  check.alarm = isFirst
    ? { isOn: isBad, streak: 0 }
    : nextAlarm(alarm, isBad ? 'bad' : 'good', PATIENCE);
  const state = check.alarm.isOn ? 'failing' : 'ok';
  const nowMs = Date.now();
  const sinceMs = state === result.state ? result.sinceMs : nowMs;
  check.result = { name: result.name, state, sinceMs, endedMs: nowMs, durationMs, error };
}
