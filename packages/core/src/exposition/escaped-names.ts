import { formatLabels, parseLabels } from '../instruments/label-text.js';
import { FamilyKind } from '../layout/catalog.js';
import type { CatalogFamily } from '../layout/catalog-reader.js';
import { type Capture, type CapturedFamily, labelsText } from './capture.js';
import {
  type EscapingScheme,
  escapeLabelName,
  escapeName,
  isLegacyLabelName,
  isLegacyMetricName,
} from './name-escaping.js';

/** What names of samples end in beside the family's own, in one format or another. */
const SUFFIXES: Partial<Record<FamilyKind, readonly string[]>> = {
  [FamilyKind.histogram]: ['_bucket', '_sum', '_count', '_created'],
  [FamilyKind.summary]: ['_sum', '_count', '_created'],
};

/**
 * The same capture with every name as the scheme writes it.
 *
 * Escaping may make two names one, and then a page would show one sample twice, which can lose the whole scrape. Names that every scraper
 * takes stay as they are. Of the others the first on the page that comes to a name has it; one that would be the second is written by the
 * scheme `values`, which keeps different names apart, and with `_` behind it where even that is taken by a name spelled like it.
 *
 * @param reserved Names of other families of the page.
 */
export function withEscapedNames(
  captured: Capture,
  { scheme, reserved }: { readonly scheme: EscapingScheme; readonly reserved: readonly string[] },
): Capture {
  const { families } = captured;
  if (scheme === 'allow-utf-8' || families.every(({ family }) => isLegacy(family))) return captured;
  const taken = new Set(reserved);
  const take = (claims: readonly string[]): void => {
    for (const claim of claims) taken.add(claim);
  };
  for (const { family } of families) {
    if (isLegacyMetricName(family.name)) take(claimsOf(family, family.name));
  }
  return {
    ...captured,
    families: families.map((one) => {
      const { family } = one;
      if (isLegacy(family)) return one;
      const name = isLegacyMetricName(family.name)
        ? family.name
        : freeName(family.name, {
            escaped: escapeName,
            scheme,
            isFree: (candidate) => !claimsOf(family, candidate).some((claim) => taken.has(claim)),
          });
      take(claimsOf(family, name));
      return withLabelNames({ ...one, family: { ...family, name } }, scheme);
    }),
  };
}

function isLegacy({ name, labelNames }: CatalogFamily): boolean {
  return isLegacyMetricName(name) && labelNames.every(isLegacyLabelName);
}

function claimsOf({ kind }: CatalogFamily, name: string): string[] {
  return [name, ...(SUFFIXES[kind] ?? []).map((suffix) => name + suffix)];
}

/** Labels of a family's series under escaped names: no two of them alike, as for families. */
function withLabelNames(captured: CapturedFamily, scheme: EscapingScheme): CapturedFamily {
  const { family, seriesIds } = captured;
  if (family.labelNames.every(isLegacyLabelName)) return captured;
  const taken = new Set(family.labelNames.filter(isLegacyLabelName));
  const namesByLabel = new Map<string, string>();
  for (const label of family.labelNames) {
    const name = isLegacyLabelName(label)
      ? label
      : freeName(label, { escaped: escapeLabelName, scheme, isFree: (text) => !taken.has(text) });
    taken.add(name);
    namesByLabel.set(label, name);
  }
  const texts = Array.from(seriesIds, (_, index) => {
    const labels = Object.entries(parseLabels(labelsText(captured, index)));
    const names = labels.map(([label]) => namesByLabel.get(label) ?? label);
    return Buffer.from(
      formatLabels(
        names,
        labels.map(([, value]) => value),
      ),
    );
  });
  const ends = Int32Array.from(texts, ({ length }) => length);
  for (let index = 1; index < ends.length; index++) {
    ends[index] = (ends[index] as number) + (ends[index - 1] as number);
  }
  const starts = ends.map((end, index) => end - (texts[index] as Buffer).length);
  return {
    ...captured,
    family: { ...family, labelNames: [...namesByLabel.values()] },
    labels: { bytes: new Uint8Array(Buffer.concat(texts)), starts, ends },
  };
}

function freeName(
  name: string,
  of: {
    readonly escaped: (name: string, scheme: EscapingScheme) => string;
    readonly scheme: EscapingScheme;
    readonly isFree: (candidate: string) => boolean;
  },
): string {
  const { escaped, scheme, isFree } = of;
  const wanted = escaped(name, scheme);
  if (isFree(wanted)) return wanted;
  let other = escaped(name, 'values');
  while (!isFree(other)) other += '_';
  return other;
}
