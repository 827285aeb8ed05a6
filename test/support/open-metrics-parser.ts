import { spawnSync } from 'node:child_process';
import type { Context } from 'mocha';
import { needTool } from './tools.js';

export interface OpenMetricsSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Where the sample has one. */
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    /** Unix time, seconds. */
    readonly timestamp: number;
  };
}

export interface OpenMetricsFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly OpenMetricsSample[];
}

/** Reads OpenMetrics pages with the parser of prometheus_client, which refuses what the specification forbids. */
export type OpenMetricsParser = (pages: readonly string[]) => readonly ParsedPage[];

export type ParsedPage =
  | { readonly families: readonly OpenMetricsFamily[] }
  | { readonly error: string };

/** Called in a `before` hook: skips the suite, with the reason, where the parser is missing. */
export function needOpenMetricsParser(context: Context): OpenMetricsParser {
  return needParser(context, 'prometheus_client.openmetrics.parser');
}

/** The same for the text format 0.0.4, whose families have names and samples as OpenMetrics has them: a counter's name is without `_total`. */
export function needTextParser(context: Context): OpenMetricsParser {
  return needParser(context, 'prometheus_client.parser');
}

function needParser(context: Context, module: string): OpenMetricsParser {
  const python = needTool(context, 'python3-prometheus-client');
  return (pages) => {
    const { status, stdout, stderr, error } = spawnSync(python, ['-c', PROGRAM, module], {
      input: JSON.stringify(pages),
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`the parser ended with ${status}: ${stderr}`);
    return (JSON.parse(stdout) as RawPage[]).map((page) =>
      'error' in page ? page : { families: page.families.map(familyOf) },
    );
  };
}

/** The families of one page; throws what the parser says against it. */
export function familiesOf(
  parse: OpenMetricsParser,
  page: string | Uint8Array,
): readonly OpenMetricsFamily[] {
  const text = typeof page === 'string' ? page : Buffer.from(page).toString('utf8');
  const [parsed] = parse([text]) as [ParsedPage];
  if ('error' in parsed) throw new Error(`${parsed.error}\n${text.slice(0, 2_000)}`);
  return parsed.families;
}

interface RawFamily extends Omit<OpenMetricsFamily, 'samples'> {
  readonly samples: readonly (readonly [
    name: string,
    labels: Record<string, string>,
    value: string,
    exemplar: readonly [labels: Record<string, string>, value: string, timestamp: string] | null,
  ])[];
}

type RawPage = { readonly families: readonly RawFamily[] } | { readonly error: string };

function familyOf(family: RawFamily): OpenMetricsFamily {
  const samples = family.samples.map(([name, labels, value, exemplar]) => ({
    name,
    labels,
    value: numberOf(value),
    ...(exemplar === null
      ? {}
      : {
          exemplar: {
            labels: exemplar[0],
            value: numberOf(exemplar[1]),
            timestamp: numberOf(exemplar[2]),
          },
        }),
  }));
  return { ...family, samples };
}

/** As Python's repr() writes floats. */
function numberOf(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** Reads a JSON array of pages from stdin; one bad page does not keep the others from being read. */
const PROGRAM = `
import importlib, json, sys
parse = importlib.import_module(sys.argv[1]).text_string_to_metric_families

def exemplar(e):
    return e and [e.labels, repr(float(e.value)), repr(float(e.timestamp))]

def read(page):
    try:
        return {'families': [
            {'name': f.name, 'type': f.type, 'unit': f.unit, 'help': f.documentation,
             'samples': [[s.name, s.labels, repr(float(s.value)), exemplar(s.exemplar)] for s in f.samples]}
            for f in parse(page)]}
    except Exception as error:
        return {'error': type(error).__name__ + ': ' + str(error)}

sys.stdin.reconfigure(encoding='utf-8', newline='')
json.dump([read(page) for page in json.load(sys.stdin)], sys.stdout)
`;
