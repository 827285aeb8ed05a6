import type { Registry } from '../instruments/registry.js';
import { FamilyKind } from '../layout/catalog.js';
import { readFamily } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import type { ContentEncoding } from './content-encoding.js';
import type { DefaultLabels } from './default-labels.js';
import type { ForeignFamily } from './foreign-family.js';
import type { EscapingScheme } from './name-escaping.js';
import { PIPELINE_FAMILIES } from './pipeline-families.js';
import type { ExpositionFormat, ExpositionRequest } from './render.js';

/** What a registry's page shows, as of now. Plain data, so that another thread can make the page without the registry. */
export interface PageContents {
  /** Families by id, in order of registration. */
  readonly families: readonly number[];
  readonly foreign: readonly ForeignFamily[];
  readonly defaultLabels: DefaultLabels;
}

/** What a scraper asks for. */
export interface PageRequest {
  /** Families, or samples of them, by name. Default: everything. */
  readonly names?: readonly string[];
  /** Default `text`. */
  readonly format?: ExpositionFormat;
  /** How names beyond the legacy characters are written. Default `underscores`. */
  readonly escaping?: EscapingScheme;
  /** Default `identity`. */
  readonly encoding?: ContentEncoding;
}

/** What samples' names of a kind have more than the family's. */
const SUFFIXES: Readonly<Partial<Record<FamilyKind, readonly string[]>>> = {
  [FamilyKind.histogram]: ['_bucket', '_sum', '_count'],
  [FamilyKind.summary]: ['_sum', '_count'],
};

/** What a registry's page shows; lays memory out. */
export function contentsOf(register: Registry): PageContents {
  return {
    families: register.familyIds(),
    foreign: register.foreignFamilies(),
    defaultLabels: register.defaultLabels,
  };
}

/** What is to be rendered for a scraper, on whichever thread has the segment. */
export function expositionOf(
  segment: Segment,
  contents: PageContents,
  { names, ...form }: PageRequest,
): ExpositionRequest {
  const { defaultLabels } = contents;
  return { ...chosenContents(segment, contents, names), ...form, defaultLabels };
}

/** The part of a registry's page that names choose: see {@link chosenContents}. */
export function chosenFamilies(
  register: Registry,
  names: readonly string[] | undefined,
): ChosenFamilies {
  return chosenContents(register.pipeline.producer.segment, contentsOf(register), names);
}

type ChosenFamilies = Pick<ExpositionRequest, 'families' | 'foreign' | 'includePipeline'>;

/**
 * The part of a page that names choose: `name[]` of a scrape. In the page's order, whatever theirs is.
 *
 * @param names Of families or of their samples; unknown ones choose nothing. `undefined` chooses everything.
 */
function chosenContents(
  segment: Segment,
  { families, foreign }: PageContents,
  names: readonly string[] | undefined,
): ChosenFamilies {
  if (names === undefined) return { families, foreign, includePipeline: true };
  const chosen = new Set(names);
  return {
    families: families.filter((id) => {
      const { name, kind } = readFamily(segment, id);
      return chosen.has(name) || SUFFIXES[kind]?.some((suffix) => chosen.has(name + suffix));
    }),
    foreign: foreign.filter(
      ({ name, samples }) => chosen.has(name) || samples.some((sample) => chosen.has(sample.name)),
    ),
    includePipeline: PIPELINE_FAMILIES.map(({ name }) => name).filter((name) => chosen.has(name)),
  };
}
