import { escapeLabelValue, parseLabels } from '../instruments/label-text.js';
import { FamilyKind } from '../layout/catalog.js';
import { type Capture, type CapturedFamily, labelsText } from './capture.js';
import { foreignWithDefaultLabels } from './foreign-family.js';

/** Labels that a page adds to every sample of a registry, in this order. Pairs, as they cross threads and `__proto__` is a valid name. */
export type DefaultLabels = readonly (readonly [name: string, value: string])[];

/** Default labels of a captured series, by its index, in exposition form without braces; empty where there are none. */
export type DefaultLabelsOf = (index: number) => Uint8Array;

/** The same capture, whose families' samples are to show the default labels. */
export function withDefaultLabels(captured: Capture, labels: DefaultLabels): Capture {
  if (labels.length === 0) return captured;
  return {
    ...captured,
    families: captured.families.map((one) => ({
      ...one,
      defaultLabels: defaultLabelsOf(one, labels),
    })),
    ...(captured.foreign === undefined
      ? {}
      : { foreign: captured.foreign.map((one) => foreignWithDefaultLabels(one, labels)) }),
  };
}

/** The label that a kind's own samples use. */
const RESERVED: Readonly<Partial<Record<FamilyKind, string>>> = {
  [FamilyKind.histogram]: 'le',
  [FamilyKind.summary]: 'quantile',
};

/**
 * The default labels as one family's samples show them.
 *
 * A label that a series has itself stays the series' own, and no sample of a histogram takes `le` from here, nor one of a summary `quantile`:
 * a name that came twice would lose the whole scrape.
 */
function defaultLabelsOf(captured: CapturedFamily, labels: DefaultLabels): DefaultLabelsOf {
  const { family } = captured;
  const reserved = RESERVED[family.kind];
  const added = labels.filter(([name]) => name !== reserved);
  if (!added.some(([name]) => family.labelNames.includes(name))) {
    const bytes = formatPairs(added);
    return () => bytes;
  }
  let texts: readonly Uint8Array[] | undefined;
  return (index) => {
    texts ??= distinctLabels(captured, added);
    return texts[index] as Uint8Array;
  };
}

/**
 * What each series of a family takes, whose own labels include a default one.
 *
 * A series that was given no such label would take the default, and may come to look like another one that was given just that: the scrape
 * would be lost to a duplicate. So it goes without.
 */
function distinctLabels(captured: CapturedFamily, labels: DefaultLabels): Uint8Array[] {
  const { labelNames } = captured.family;
  const owns = Array.from(captured.seriesIds, (_, index) =>
    parseLabels(labelsText(captured, index)),
  );
  const taken = new Set(owns.map(keyOf));
  return owns.map((own) => {
    const added = labels.filter(([name]) => !Object.hasOwn(own, name));
    const ofFamily = added.filter(([name]) => labelNames.includes(name));
    if (ofFamily.length === 0) return formatPairs(added);
    const key = keyOf({ ...own, ...Object.fromEntries(ofFamily) });
    if (taken.has(key)) return formatPairs(added.filter(([name]) => !labelNames.includes(name)));
    taken.add(key);
    return formatPairs(added);
  });
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function formatPairs(labels: DefaultLabels): Uint8Array {
  return Buffer.from(
    labels.map(([name, value]) => `${name}="${escapeLabelValue(value)}"`).join(','),
  );
}
