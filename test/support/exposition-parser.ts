/**
 * A reader of the Prometheus text format 0.0.4, and of 1.0.0 with its names in quotes, written from the formats' descriptions and not from the
 * writer's code. It is strict: what a Prometheus might forgive is an error here.
 */

export interface ParsedSample {
  readonly name: string;
  /** In the page's order; no name twice. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
/** The same with anything in it. One that needs no quotes must have none. */
const QUOTED = /"(?:[^"\\]|\\[\\"n])*"/y;
const COMMENT = /^# (HELP|TYPE) ("(?:[^"\\]|\\[\\"n])*"|[a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s;
const VALUE = /(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/y;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** Parses a page; throws on a malformed line, a sample outside of its family, and a sample that stands twice. */
export function parseExposition(page: string): ParsedFamily[] {
  if (page !== '' && !page.endsWith('\n')) throw new Error('the page ends within a line');
  const families = new Map<string, { type: string; help: string; samples: ParsedSample[] }>();
  const seen = new Set<string>();
  let current: string | undefined;
  // Only \n ends a line: label values and help texts may hold \r and every other separator.
  for (const line of page.split('\n')) {
    if (line === '') continue;
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, kind, written, text] = comment as unknown as [string, string, string, string];
      const name = nameOf(written);
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`${name} has two blocks`);
        families.set(name, { type: 'untyped', help: unescapeHelp(text), samples: [] });
        current = name;
      } else {
        if (current !== name) throw new Error(`TYPE of ${name} in the block of ${current}`);
        const family = families.get(name);
        if (family !== undefined) family.type = text;
      }
      continue;
    }
    const sample = parseSample(line);
    const family = current === undefined ? undefined : families.get(current);
    if (family === undefined || !namesOf(current as string, family.type).includes(sample.name)) {
      throw new Error(`sample outside of its family: ${line}`);
    }
    const identity = JSON.stringify([sample.name, ...[...sample.labels].sort()]);
    if (seen.has(identity)) throw new Error(`sample stands twice: ${line}`);
    seen.add(identity);
    family.samples.push(sample);
  }
  return [...families].map(([name, family]) => ({ name, ...family }));
}

function namesOf(family: string, type: string): string[] {
  const suffixes = SUFFIXES[type] ?? [''];
  return suffixes.map((suffix) => family + suffix);
}

function parseSample(line: string): ParsedSample {
  let at = 0;
  const refuse = (what: string): never => {
    throw new Error(`${what} at ${at}: ${line.slice(0, 200)}`);
  };
  const take = (pattern: RegExp, what: string): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(line) ?? refuse(`no ${what}`);
    at += match[0].length;
    return match[0];
  };
  const expect = (character: string): void => {
    if (line[at] !== character) refuse(`no ${character}`);
    at++;
  };
  const labels = new Map<string, string>();
  const isInside = line[at] === '{';
  let name = isInside ? '' : take(METRIC_NAME, 'metric name');
  if (line[at] === '{') {
    at++;
    if (isInside) name = nameOf(take(QUOTED, 'metric name in quotes'));
    while (line[at] !== '}') {
      if (labels.size > 0 || isInside) expect(',');
      const label =
        line[at] === '"'
          ? nameOf(take(QUOTED, 'label name in quotes'), LABEL_NAME)
          : take(LABEL_NAME, 'label name');
      if (labels.has(label)) refuse(`label ${label} twice`);
      expect('=');
      expect('"');
      let value = '';
      while (line[at] !== '"') {
        if (at >= line.length) refuse('a label value without an end');
        if (line[at] !== '\\') {
          value += line[at++];
          continue;
        }
        const code = line[at + 1];
        if (code === 'n') value += '\n';
        else if (code === '\\' || code === '"') value += code;
        else refuse('an unknown escape');
        at += 2;
      }
      at++;
      labels.set(label, value);
    }
    at++;
  }
  expect(' ');
  const text = take(VALUE, 'value');
  if (at !== line.length) refuse('more than a sample');
  return { name, labels, value: numberOf(text) };
}

/** @param legal Names that stand without quotes. */
function nameOf(written: string, legal = METRIC_NAME): string {
  if (!written.startsWith('"')) return written;
  const name = written
    .slice(1, -1)
    .replace(/\\(.)/gs, (_, code: string) => (code === 'n' ? '\n' : code));
  legal.lastIndex = 0;
  if (legal.exec(name)?.[0] === name) throw new Error(`quotes without need: ${written}`);
  if (name === '') throw new Error('a name without characters');
  return name;
}

function numberOf(text: string): number {
  if (text.endsWith('Inf'))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

function unescapeHelp(text: string): string {
  return text.replace(/\\(.)/gs, (_, code: string) => (code === 'n' ? '\n' : code));
}
