import { OPTION_RULES, showValue } from '@offloop/core/adapter';
import { expect } from 'chai';
import fc from 'fast-check';
import { treeOf } from './option-cases.js';

/** What is right, said once more and in another way than the schema does. */
const IS_RIGHT: Readonly<Record<string, (value: unknown) => boolean>> = {
  engine: (value) => value === 'auto' || value === 'pool' || value === 'inline',
  threadFile: (value) => typeof value === 'string' && value !== '',
  port: (value) => value === false || isWhole(value, 0, 65_535),
  'portOptions.host': (value) => isText(value, (text) => text !== '' && !/\s|\//.test(text)),
  'portOptions.token': isToken,
  'portOptions.basic': isBasic,
  'portOptions.tlsCert': (value) => isText(value, (text) => text.includes('-----BEGIN ')),
  'portOptions.tlsKey': (value) => isText(value, (text) => text.includes('-----BEGIN ')),
  'portOptions.allowedHosts': (value) =>
    isTexts(value, (text) => text !== '' && !/\s|[/:@]/.test(text)),
  'portOptions.maxConnections': (value) => isWhole(value, 8, 10_000),
  'access.token': isToken,
  'access.basic': isBasic,
  'access.allow': (value) => isTexts(value, (text) => ADDRESSES.includes(text)),
  'access.custom': (value) => typeof value === 'function',
  scrapePaths: (value) => Array.isArray(value) && [...value].every(isPath),
  'prometheus.enabled': isFlag,
  'http.bucketsMs': (value) => isAscending(value, 256, Number.MAX_VALUE),
  'prometheus.includeUp': isFlag,
  'http.sizes': isFlag,
  'http.sizeBucketsBytes': (value) => isAscending(value, 256, Number.MAX_VALUE),
  'http.timeToFirstByte': isFlag,
  'metricNames.requests': areNames,
  'metricNames.duration': areNames,
  'metricNames.inFlight': areNames,
  'metricNames.errors': areNames,
  'metricNames.requestSize': areNames,
  'metricNames.responseSize': areNames,
  'metricNames.timeToFirstByte': areNames,
  'labelNames.method': isLabelOrFalse,
  'labelNames.route': isLabelOrFalse,
  'labelNames.statusCode': isLabelOrFalse,
  customLabels: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, each]) => isLabel(name) && isLabelValue(each)),
  errorRules: (value) => Array.isArray(value) && [...value].every(isErrorRule),
  'window.seconds': (value) => isWhole(value, 1, 86_400),
  quantiles: (value) => isAscending(value, 32, 1 - Number.EPSILON / 2),
  estimator: (value) => value === 'sketch' || value === 'reservoir',
  'reservoir.capacity': (value) => isWhole(value, 100, 1e6),
  'eventLoop.enabled': isFlag,
  'eventLoop.intervalMs': (value) => isWhole(value, 10, 60_000),
  'eventLoop.stallMs': (value) => isWhole(value, 250, 60_000),
  'eventLoop.stacksPerHour': (value) => isWhole(value, 0, 3600),
  'health.lagMs': (value) => isWhole(value, 0, 600_000),
  'health.errorPercent': (value) => isWhole(value, 0, 100),
  'health.stallMs': (value) => isWhole(value, 0, 600_000),
  'health.checkIntervalMs': (value) => isWhole(value, 100, 3_600_000),
  'health.checkTimeoutMs': (value) => isWhole(value, 10, 600_000),
  'reliability.lagMs': (value) => isWhole(value, 1, 600_000),
  'reliability.hitRatePercent': (value) => isWhole(value, 0, 100),
  'reliability.latencyRisePercent': (value) => isWhole(value, 5, 10_000),
  'reliability.volumeFactor': (value) => isWhole(value, 2, 1000),
  logger: isLogger,
  onHealthChange: (value) => typeof value === 'function',
  maxSeriesPerMetric: (value) => isWhole(value, 1, 2 ** 20),
  'ring.capacityRecords': (value) =>
    Array.from({ length: 13 }, (_, power) => 256 << power).includes(value as number),
  'memory.maxFamilies': (value) => isWhole(value, 16, 4096),
  'memory.maxSeries': (value) => isWhole(value, 16, 2 ** 20),
  'memory.catalogBytes': (value) => isWhole(value, 2 ** 16, 2 ** 28),
  'memory.aggregateBytes': (value) => isWhole(value, 2 ** 16, 2 ** 30),
};

/** All that random options name. */
const ADDRESSES = ['loopback', '10.0.0.0/8', '127.0.0.1', '::1'];

/** The only logger that random options name. */
const LOGGER = { warn: () => {}, error: () => {} };

/** Whose values no message shows, and the branches that hold some. */
const SECRET = /^(access|portOptions)$|\.(token|basic|tlsKey)$/;

const BRANCHES = [
  'portOptions',
  'access',
  'prometheus',
  'http',
  'metricNames',
  'labelNames',
  'window',
  'reservoir',
  'eventLoop',
  'health',
  'reliability',
  'ring',
  'memory',
];

const VARIABLES: Readonly<Record<string, string>> = {
  METRICS_WINDOW_SIZE_SECONDS: 'window.seconds',
  METRICS_MAX_SAMPLES: 'reservoir.capacity',
  METRICS_PROMETHEUS_ENABLED: 'prometheus.enabled',
  METRICS_EVENT_LOOP_MONITORING: 'eventLoop.enabled',
  METRICS_HISTOGRAM_BUCKETS: 'http.bucketsMs',
};

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
};

/** A message that would be right; the code stands before it. */
export type Refusal = string;

/** What a document or an environment comes to: values by path, or every refusal that would be right. */
export interface Verdict {
  readonly values: ReadonlyMap<string, unknown>;
  readonly refusals: ReadonlySet<Refusal>;
}

/** What is to be said of a document. */
export function verdictOf(document: unknown): Verdict {
  const values = new Map<string, unknown>();
  const refusals = new Set<Refusal>();
  const refuse = (code: string, message: string, of: { value: unknown; secretOf: string }) => {
    const shown = SECRET.test(of.secretOf) ? 'a value that is not shown' : showValue(of.value);
    refusals.add(`OFFLOOP_ERR_OPTION_${code} ${message}, got ${shown}`);
  };

  const judgeAll = (branch: string, tree: unknown): void => {
    if (!isObject(tree)) {
      refuse('TYPE', `${branch || 'options'} must be an object`, { value: tree, secretOf: branch });
      return;
    }
    const prefix = branch === '' ? '' : `${branch}.`;
    for (const [name, value] of Object.entries(tree)) judge(prefix, name, value);
  };
  const judge = (prefix: string, name: string, value: unknown): void => {
    const path = prefix + name;
    // A point in a name makes no path of it.
    if (prefix === '' && BRANCHES.includes(name)) {
      if (value !== undefined) judgeAll(name, value);
    } else if (name.includes('.') || !Object.hasOwn(IS_RIGHT, path)) {
      refuse('UNKNOWN', `${path} must be one of the options ${namesBelow(prefix)}`, {
        value,
        secretOf: prefix.slice(0, -1),
      });
    } else if (value !== undefined) {
      if (IS_RIGHT[path]?.(value)) values.set(path, path === 'customLabels' ? { ...value } : value);
      else
        refuse(kindOf(path, value), `${path} must be ${OPTION_RULES[path]?.rule}`, {
          value,
          secretOf: path,
        });
    }
  };
  judgeAll('', document ?? {});
  return { values, refusals };
}

function namesBelow(prefix: string): string {
  const paths = Object.keys(IS_RIGHT).filter((path) => path.startsWith(prefix));
  const names = paths.map((path) => prefix + path.slice(prefix.length).split('.')[0]);
  return [...new Set(names)].join(', ');
}

/** What is to be said of an environment. */
export function verdictOfEnvironment(environment: Readonly<Record<string, string>>): Verdict {
  const values = new Map<string, unknown>();
  const refusals = new Set<Refusal>();
  for (const [name, text] of Object.entries(environment)) {
    const path = VARIABLES[name];
    if (path === undefined || text.trim() === '') continue;
    const value = readVariable(text, OPTION_RULES[path]?.default);
    if (IS_RIGHT[path]?.(value)) values.set(path, value);
    else {
      refusals.add(
        `OFFLOOP_ERR_ENVIRONMENT ${name} must be ${OPTION_RULES[path]?.rule}, got ${showValue(text)}`,
      );
    }
  }
  return { values, refusals };
}

/** The refusal that a call throws; undefined where it throws none. Anything else that it throws is thrown on. */
export function refusalBy(call: () => unknown): Refusal | undefined {
  try {
    call();
  } catch (error) {
    const { code, message, name } = error as { code?: string; message: string; name: string };
    expect(name, `${error}`).to.equal('OffloopError');
    return `${code} ${message}`;
  }
  return undefined;
}

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'auto',
    'pool',
    'true',
    '/metrics',
    '/x y',
    'x',
    '60',
    'NaN',
    '__proto__',
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
);

const number = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.5, 10, 16, 100, 256, 300, 1000, 4096, 65_536, 2 ** 20, 2 ** 30),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE, Number.MIN_VALUE, 1.5),
  fc.integer({ min: -2, max: 100_000 }),
  fc.double(),
);

const numbers = fc.oneof(
  fc.array(number, { maxLength: 4 }),
  fc.uniqueArray(fc.double({ min: 0, max: 1 }), { maxLength: 40 }).map((each) => each.toSorted()),
  fc
    .uniqueArray(fc.integer({ min: 1, max: 1000 }), { maxLength: 8 })
    .map((each) => each.toSorted((one, other) => one - other)),
);

const junk = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(text, number, numbers, fc.boolean(), fc.constant(null)) },
  {
    weight: 1,
    arbitrary: fc.anything({
      maxDepth: 2,
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
  },
);

/** Right as a rule: of the kind that the option's default is. */
function likely(path: string): fc.Arbitrary<unknown> {
  const { default: sample, rule = '' } = OPTION_RULES[path] ?? {};
  const [minimum, maximum] = (/\[(\d+), (\d+)\]$/.exec(rule) ?? []).slice(1).map(Number);
  const choices = [...rule.matchAll(/"(\w+)"/g)].map(([, choice]) => choice);
  if (path === 'port') return fc.constantFrom<unknown>(false, 0, 9464);
  if (path === 'access.custom' || path === 'onHealthChange') return fc.constant(() => true);
  if (path === 'logger') return fc.constant(LOGGER);
  if (path === 'access.allow') return fc.array(fc.constantFrom(...ADDRESSES), { maxLength: 3 });
  if (path === 'portOptions.allowedHosts') return fc.array(fc.constantFrom('a', 'b.c'));
  if (path.endsWith('basic')) return fc.constantFrom('a:b', 'user:password');
  if (path.startsWith('portOptions.tls')) return fc.constant('-----BEGIN X-----');
  if (typeof sample === 'boolean') return fc.boolean();
  if (path === 'scrapePaths') {
    return fc.array(fc.constantFrom('/metrics', '/internal/metrics', '/x'), { maxLength: 3 });
  }
  if (path === 'errorRules') {
    const rule = fc.record({ class: fc.constant('x'), status: fc.integer({ min: 98, max: 600 }) });
    return fc.array(rule, { maxLength: 2 });
  }
  if (path === 'customLabels') return fc.dictionary(fc.constantFrom('a', 'le', '1'), text);
  if (path.startsWith('metricNames')) {
    return fc.array(fc.constantFrom('a', 'b_total', '1'), { maxLength: 2 });
  }
  if (Array.isArray(sample)) {
    return numbers.map((each) => (path === 'quantiles' ? each.map((value) => value % 1) : each));
  }
  if (path === 'ring.capacityRecords')
    return fc.integer({ min: 8, max: 20 }).map((power) => 2 ** power);
  if (minimum !== undefined && maximum !== undefined) {
    return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum));
  }
  return choices.length > 0 ? fc.constantFrom(...choices) : text;
}

/** The same value as the default, which may always be given again. */
function again(path: string): fc.Arbitrary<unknown> {
  const value = OPTION_RULES[path]?.default;
  return fc.constant(value === '' ? undefined : value);
}

function entries(paths: readonly string[]): fc.Arbitrary<object[]> {
  const entry = fc
    .constantFrom(...paths)
    .chain((path) =>
      fc
        .oneof(
          { weight: 10, arbitrary: likely(path) },
          { weight: 4, arbitrary: again(path) },
          { weight: 1, arbitrary: junk },
          { weight: 1, arbitrary: fc.constant(undefined) },
        )
        .map((value) => treeOf(path, value)),
    );
  return fc.array(entry, { maxLength: 4 });
}

const strangers = fc
  .constantFrom('rings', '', '__proto__', 'toString', 'ring.capacityRecords', ...BRANCHES)
  .chain((name) =>
    fc
      .oneof(
        junk,
        fc.constantFrom(name, 'seconds', '').map((inner) => own(inner, 5)),
      )
      .map((value) => own(name, value)),
  );

/** Documents of these options: right ones, wrong ones, and what is no document at all. */
export function documents(paths = Object.keys(OPTION_RULES)): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: entries(paths).map((trees) => trees.reduce(merge, {})) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(entries(paths), strangers)
        .map(([trees, stranger]) => [...trees, stranger].reduce(merge, {})),
    },
    { weight: 1, arbitrary: junk },
  );
}

/** Environments, by the variables that offloop reads. */
export const environments: fc.Arbitrary<Record<string, string>> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...Object.keys(VARIABLES)),
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom('300', '1000', ' 60', '1e3', 'true', 'OFF', '25,50', '7'),
        },
        { weight: 1, arbitrary: text },
        { weight: 1, arbitrary: fc.oneof(number, numbers).map(String) },
      ),
    ),
    { maxLength: 2 },
  )
  .map((each) => Object.fromEntries(each));

/** An own property, `__proto__` too. */
function own(name: string, value: unknown): object {
  return Object.defineProperty({}, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function merge(target: object, source: object): object {
  for (const [name, value] of Object.entries(source)) {
    const old = Object.getOwnPropertyDescriptor(target, name)?.value;
    const isBoth = BRANCHES.includes(name) && isObject(old) && isObject(value);
    Object.defineProperty(target, name, {
      value: isBoth ? merge({ ...old }, value) : value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return target;
}

function readVariable(text: string, sample: unknown): unknown {
  if (typeof sample === 'boolean') return FLAGS[text.trim().toLowerCase()];
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (Array.isArray(sample)) return parts;
  return parts.length === 1 ? parts[0] : Number.NaN;
}

/** Where an option is refused, its value is of the type of one that is right, or not. */
function kindOf(path: string, value: unknown): 'RANGE' | 'TYPE' {
  if (path === 'logger' || path === 'access.custom' || path === 'onHealthChange') return 'TYPE';
  const sample = OPTION_RULES[path]?.default;
  const types = [typeof sample, ...(TYPES_BESIDE[path.replace(/\..*/, '')] ?? [])];
  const isAlike =
    types.includes(typeof value) &&
    Array.isArray(value) === Array.isArray(sample) &&
    value !== null;
  return isAlike ? 'RANGE' : 'TYPE';
}

/** What an option may be beside what its default is, by option or branch. */
const TYPES_BESIDE: Readonly<Record<string, readonly string[]>> = {
  port: ['number'],
  labelNames: ['boolean'],
};

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, isRight: (text: string) => boolean): boolean {
  return typeof value === 'string' && isRight(value);
}

function isTexts(value: unknown, isRight: (text: string) => boolean): boolean {
  return Array.isArray(value) && [...value].every((each) => isText(each, isRight));
}

function isLogger(value: unknown): boolean {
  const { warn, error } = (isObject(value) ? value : {}) as Record<string, unknown>;
  return typeof warn === 'function' && typeof error === 'function';
}

function isToken(value: unknown): boolean {
  return isText(
    value,
    (text) => text !== '' && [...text].every((one) => one > ' ' && one < '\x7f'),
  );
}

function isBasic(value: unknown): boolean {
  return isText(
    value,
    (text) => text.indexOf(':') > 0 && !/^[^:]+:(?:$|[\n\r\u2028\u2029])/.test(text),
  );
}

function isFlag(value: unknown): boolean {
  return value === true || value === false;
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('/') && !/[?#]|\s/.test(value);
}

function areNames(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > 8) return false;
  return [...value].every((each) => typeof each === 'string' && /^[a-zA-Z_:][\w:]*$/.test(each));
}

function isLabel(value: unknown): boolean {
  // `le` is the bucket's.
  return typeof value === 'string' && /^[a-zA-Z_]\w*$/.test(value) && value !== 'le';
}

function isLabelOrFalse(value: unknown): boolean {
  return value === false || isLabel(value);
}

function isLabelValue(value: unknown): boolean {
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
}

/** Of the rules that are made here. */
function isErrorRule(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { class: name, status, ...others } = value as Record<string, unknown>;
  return name === 'x' && isWhole(status, 100, 999) && Object.keys(others).length === 0;
}

function isWhole(value: unknown, minimum: number, maximum: number): boolean {
  return typeof value === 'number' && value % 1 === 0 && value >= minimum && value <= maximum;
}

function isAscending(value: unknown, lengthMax: number, maximum: number): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > lengthMax) return false;
  let last = 0;
  for (const each of value) {
    if (typeof each !== 'number' || !(each > last && each <= maximum)) return false;
    last = each;
  }
  return true;
}
