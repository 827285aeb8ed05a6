/** How a family stands in an OpenMetrics page. */
export interface OpenMetricsHeader {
  /** Of the metadata; samples keep the name that they have in every format. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  /** Where the name ends in one. */
  readonly unit: string | undefined;
  /** Name of the samples that say when a series began, where the type has them and no other family of the page is called so. */
  readonly createdName: string | undefined;
}

/** What is known of a family before its place in the page is. */
export interface NamedFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
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

/** Names beside its own that a family claims, whether it has such samples or not. */
const CLAIMED_SUFFIXES: Readonly<Record<OpenMetricsHeader['type'], readonly string[]>> = {
  counter: [TOTAL, CREATED],
  gauge: [],
  histogram: ['_count', '_sum', '_bucket', CREATED],
  summary: ['_count', '_sum', CREATED],
  unknown: [],
};

/**
 * Names the families of a page as OpenMetrics wants them, in the same order.
 *
 * A counter `jobs_total` is the family `jobs` with the sample `jobs_total`. A counter whose name does not end so would have to have its
 * sample renamed, and then be another series to a server than in the other formats: it keeps its name and is of type `unknown`. So does one
 * whose family's name would clash with another family of the page.
 */
export function openMetricsHeaders(families: readonly NamedFamily[]): OpenMetricsHeader[] {
  const claimed = new Set<string>();
  const names = new Set(families.map(({ name }) => name));
  const headerOf = (name: string, type: OpenMetricsHeader['type']): OpenMetricsHeader => {
    const createdName = name + CREATED;
    const hasCreated = CLAIMED_SUFFIXES[type].includes(CREATED) && !names.has(createdName);
    return {
      name,
      type,
      unit: BASE_UNITS.find((unit) => name.endsWith(`_${unit}`)),
      createdName: hasCreated ? createdName : undefined,
    };
  };
  const claim = (header: OpenMetricsHeader): void => {
    for (const suffix of ['', ...CLAIMED_SUFFIXES[header.type]]) claimed.add(header.name + suffix);
  };
  const headers: (OpenMetricsHeader | undefined)[] = families.map(({ name, type }) => {
    if (type === 'counter' && baseName(name) !== undefined) return undefined;
    const header = headerOf(name, type === 'counter' ? 'unknown' : type);
    claim(header);
    return header;
  });
  // After all others, as they can give way and the others cannot.
  return headers.map((settled, index) => {
    if (settled !== undefined) return settled;
    const { name } = families[index] as NamedFamily;
    const counter = headerOf(baseName(name) as string, 'counter');
    const isFree = ['', ...CLAIMED_SUFFIXES.counter].every(
      (suffix) => !claimed.has(counter.name + suffix),
    );
    const header = isFree ? counter : headerOf(name, 'unknown');
    claim(header);
    return header;
  });
}

/** A counter's name without its suffix; `undefined` where it has none, or is nothing else. */
function baseName(name: string): string | undefined {
  return name.endsWith(TOTAL) && name.length > TOTAL.length
    ? name.slice(0, -TOTAL.length)
    : undefined;
}
