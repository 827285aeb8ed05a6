/**
 * Every way in which offloop refuses something, by code. A code is never reused; docs/errors.md holds
 * cause and cure of each, and a test keeps that page and this table equal.
 */
export const ERROR_CODES = {
  OFFLOOP_ERR_OPTION_UNKNOWN: 'an option that does not exist',
  OFFLOOP_ERR_OPTION_TYPE: 'an option of the wrong type',
  OFFLOOP_ERR_OPTION_RANGE: 'an option outside its range',
  OFFLOOP_ERR_ENVIRONMENT: 'an environment variable with a value that its rule refuses',
  OFFLOOP_ERR_ARGUMENT: 'a function called with an argument that it cannot use',
  OFFLOOP_ERR_ALREADY_STARTED: 'memory options given after the memory was laid out',
  OFFLOOP_ERR_DUPLICATE_METRIC: 'a second metric under a registered name',
  OFFLOOP_ERR_METRIC_CONFIG: 'a metric configuration that cannot be exposed',
  OFFLOOP_ERR_LABELS: 'a label set that does not fit the metric',
  OFFLOOP_ERR_VALUE: 'a value that the metric cannot take',
  OFFLOOP_ERR_EXEMPLAR: 'exemplar labels that no page can show',
  OFFLOOP_ERR_FAMILIES_FULL: 'more metrics than memory was laid out for',
  OFFLOOP_ERR_CATALOG_FULL: 'names, help texts and bounds larger than the catalog',
  OFFLOOP_ERR_HOOK: 'an object that cannot be hooked, or is by another hook',
  OFFLOOP_ERR_LIBRARY_ABSENT: 'a library that a hook needs and the application does not have',
  OFFLOOP_ERR_COLLECT: 'a collect() callback that failed while a page was scraped',
  OFFLOOP_ERR_LAG_MONITOR: 'a sample of the loop lag that failed',
  OFFLOOP_ERR_HEALTH_CHANGE: 'a listener of changes of health that failed',
  OFFLOOP_ERR_OVERTAKEN: 'a reading under which memory kept changing',
  OFFLOOP_ERR_PUSH: 'a push that a gateway refused or did not answer in time',
  OFFLOOP_ERR_SEGMENT_MAGIC: 'a buffer that is not an offloop segment',
  OFFLOOP_ERR_SEGMENT_VERSION: 'a segment of another layout version',
  OFFLOOP_ERR_SEGMENT_SIZE: 'a segment whose size contradicts its header',
  OFFLOOP_ERR_MEMORY: 'a segment that the host refuses to allocate',
  OFFLOOP_ERR_THREAD_START: 'a pool thread that could not be started',
  OFFLOOP_ERR_PORT: 'an off-loop port that cannot be listened on',
  OFFLOOP_ERR_THREAD_LOST: 'a pool thread that was lost more often than work is retried',
} as const;

/** One of the codes in docs/errors.md. */
export type OffloopErrorCode = keyof typeof ERROR_CODES;

/**
 * What offloop throws. Its message names the full path of the option, metric or argument, the rule, and the value received.
 *
 * Where prom-client throws a TypeError or a RangeError, it is an {@link OffloopTypeError} or {@link OffloopRangeError}, which carry a code as
 * well and are no `OffloopError`. Test with {@link isOffloopError}, which knows all three, and not with `instanceof`: a process may hold two
 * copies of this package.
 */
export class OffloopError extends Error {
  override readonly name = 'OffloopError';
  readonly code: OffloopErrorCode;

  constructor(code: OffloopErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What offloop throws where prom-client throws a TypeError: code written for prom-client may test for it. */
export class OffloopTypeError extends TypeError {
  readonly code: OffloopErrorCode;

  constructor(code: OffloopErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What offloop throws where prom-client throws a RangeError. */
export class OffloopRangeError extends RangeError {
  readonly code: OffloopErrorCode;

  constructor(code: OffloopErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether `error` was thrown by offloop, by whichever copy of it, and carries `code` where one is given. */
export function isOffloopError<Code extends OffloopErrorCode = OffloopErrorCode>(
  error: unknown,
  code?: Code,
): error is (OffloopError | OffloopTypeError | OffloopRangeError) & { readonly code: Code } {
  if (!(error instanceof Error)) return false;
  const found = (error as { code?: unknown }).code;
  return (
    typeof found === 'string' &&
    Object.hasOwn(ERROR_CODES, found) &&
    (code === undefined || found === code)
  );
}

/** What a caught value says of itself. Never throws, whatever was thrown. */
export function messageOf(error: unknown): string {
  return shownBy(error, ({ message }) => message);
}

/** The same with the name of its class, and of several lines the first: a warning that spans several is hard to find again. */
export function describeError(error: unknown): string {
  const text = shownBy(error, ({ name, message }) => `${name}: ${message}`);
  return text.split('\n', 1)[0] as string;
}

/** Where it was thrown; `undefined` where it does not say. Never throws. */
export function stackOf(error: unknown): string | undefined {
  try {
    return error instanceof Error && typeof error.stack === 'string' ? error.stack : undefined;
  } catch {
    return undefined;
  }
}

/** A thrown value may be anything: without a prototype it is no text, and its fields may throw. */
function shownBy(error: unknown, show: (error: Error) => unknown): string {
  try {
    return String(error instanceof Error ? show(error) : error);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** A received value as an error message shows it: short, quoted where it is text, never throwing. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value))
    return `[${value.slice(0, 12).map(showElement).join(', ')}${value.length > 12 ? ', …' : ''}]`;
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  return String(value);
}

/** Arrays in arrays are not shown: one may hold itself. */
function showElement(value: unknown): string {
  return Array.isArray(value) ? '[…]' : showValue(value);
}
