import type { Registry } from '../instruments/registry.js';
import { FamilyKind } from '../layout/catalog.js';
import { PIPELINE_FAMILIES } from './pipeline-families.js';
import type { ExpositionRequest } from './render.js';

/** What the samples' names of a kind have more than the family's. */
const SUFFIXES: Readonly<Partial<Record<FamilyKind, readonly string[]>>> = {
  [FamilyKind.histogram]: ['_bucket', '_sum', '_count'],
  [FamilyKind.summary]: ['_sum', '_count'],
};

/**
 * The part of a registry's page that names choose: `name[]` of a scrape. In the page's order, whatever theirs is.
 *
 * @param names Of families or of their samples; unknown ones choose nothing. `undefined` chooses everything.
 */
export function chosenFamilies(
  register: Registry,
  names: readonly string[] | undefined,
): Pick<ExpositionRequest, 'families' | 'foreign' | 'includePipeline'> {
  const families = register.familyIds();
  const foreign = register.foreignFamilies();
  if (names === undefined) return { families, foreign, includePipeline: true };
  const chosen = new Set(names.map((name) => findFamily(register, name)));
  return {
    families: families.filter((id) => chosen.has(id)),
    foreign: foreign.filter(({ name, samples }) =>
      names.some((one) => one === name || samples.some((sample) => sample.name === one)),
    ),
    includePipeline: PIPELINE_FAMILIES.map(({ name }) => name).filter((name) =>
      names.includes(name),
    ),
  };
}

function findFamily(register: Registry, name: string): number | undefined {
  const own = register.ownMetric(name);
  if (own !== undefined) return own.pipeline === register.pipeline ? own.family.id : undefined;
  const suffix = /_[a-z]+$/.exec(name)?.[0];
  if (suffix === undefined) return undefined;
  const metric = register.ownMetric(name.slice(0, -suffix.length));
  const isShown =
    metric?.pipeline === register.pipeline &&
    SUFFIXES[metric.family.entry.kind]?.includes(suffix) === true;
  return isShown ? metric.family.id : undefined;
}
