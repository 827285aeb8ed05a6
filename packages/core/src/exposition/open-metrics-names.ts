/** How a family stands in an OpenMetrics page. */
export interface OpenMetricsHeader {
  /** Of the metadata; samples keep the name that they have in every format. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'stateset' | 'info' | 'unknown';
  /** Where the name ends in one. */
  readonly unit: string | undefined;
  /** Name of the samples that say when a series began, where the type has them and no other family of the page is called so. */
  readonly createdName: string | undefined;
}

/** What is known of a family before its place in the page is. */
export interface NamedFamily {
  readonly name: string;
  readonly type: OpenMetricsHeader['type'];
}

/** OpenMetrics 1.0, "Units and Base Units", and the singular that Prometheus' own naming rules use. */
const BASE_UNITS = [
  'seconds',
  'bytes',
  'joules',
  'grams',
  'meters',
  'ratio',
  'ratios',
  'volts',
  'amperes',
  'celsius',
];

const TOTAL = '_total';
const CREATED = '_created';
const INFO = '_info';

/** Names beside its own that a family claims, whether it has such samples or not. */
const CLAIMED_SUFFIXES: Readonly<Record<OpenMetricsHeader['type'], readonly string[]>> = {
  counter: [TOTAL, CREATED],
  gauge: [],
  histogram: ['_count', '_sum', '_bucket', CREATED],
  summary: ['_count', '_sum', CREATED],
  stateset: [],
  info: [INFO],
  unknown: [],
};

/** Types whose families have a name of their own, and what they are where they cannot have it. */
const RENAMED: Partial<
  Record<
    OpenMetricsHeader['type'],
    { readonly suffix: string; readonly otherwise: 'unknown' | 'gauge' }
  >
> = {
  counter: { suffix: TOTAL, otherwise: 'unknown' },
  info: { suffix: INFO, otherwise: 'gauge' },
};

/**
 * Names the families of a page as OpenMetrics wants them, in the same order.
 *
 * A counter `jobs_total` is the family `jobs` with the sample `jobs_total`. A counter whose name does not end so would have to have its
 * sample renamed, and then be another series to a server than in the other formats: it keeps its name and is of type `unknown`. So does one
 * whose family's name would clash with another family of the page. An info `build_info` is the family `build` likewise, or else a gauge.
 */
export function openMetricsHeaders(families: readonly NamedFamily[]): OpenMetricsHeader[] {
  const claimed = new Set<string>();
  const names = new Set(families.map(({ name }) => name));
  const headerOf = (name: string, type: OpenMetricsHeader['type']): OpenMetricsHeader => {
    const createdName = name + CREATED;
    const hasUnit = type !== 'stateset' && type !== 'info';
    const hasCreated = CLAIMED_SUFFIXES[type].includes(CREATED) && !names.has(createdName);
    return {
      name,
      type,
      unit: hasUnit ? BASE_UNITS.find((unit) => name.endsWith(`_${unit}`)) : undefined,
      createdName: hasCreated ? createdName : undefined,
    };
  };
  const claim = (header: OpenMetricsHeader): void => {
    for (const suffix of ['', ...CLAIMED_SUFFIXES[header.type]]) claimed.add(header.name + suffix);
  };
  const headers: (OpenMetricsHeader | undefined)[] = families.map(({ name, type }) => {
    const renamed = RENAMED[type];
    if (renamed !== undefined && baseName(name, renamed.suffix) !== undefined) return undefined;
    const header = headerOf(name, renamed?.otherwise ?? type);
    claim(header);
    return header;
  });
  // After all others, as they can give way and the others cannot.
  return headers.map((settled, index) => {
    if (settled !== undefined) return settled;
    const { name, type } = families[index] as NamedFamily;
    const { suffix, otherwise } = RENAMED[type] as NonNullable<(typeof RENAMED)[typeof type]>;
    const wanted = headerOf(baseName(name, suffix) as string, type);
    // Nor the name of a family that has to be settled after this one, and may have to keep it.
    const isFree =
      !names.has(wanted.name) &&
      ['', ...CLAIMED_SUFFIXES[type]].every((ending) => !claimed.has(wanted.name + ending));
    const header = isFree ? wanted : headerOf(name, otherwise);
    claim(header);
    return header;
  });
}

/** A name without its suffix; `undefined` where it has none, or is nothing else. */
function baseName(name: string, suffix: string): string | undefined {
  return name.endsWith(suffix) && name.length > suffix.length
    ? name.slice(0, -suffix.length)
    : undefined;
}
