import { isLegacyLabelName, isLegacyMetricName } from '../exposition/name-escaping.js';

/**
 * Bytes of the longest label set that a series may have, in exposition form. Whoever sends longer ones as labels sends data and not labels: a
 * few of them would take the room of everybody else's.
 */
export const LABELS_BYTES_MAX = 4_096;

/** A label set in exposition form without braces: `method="GET",route="/"`. Labels without a value are left out. */
export function formatLabels(
  names: readonly string[],
  values: readonly (string | undefined)[],
): string {
  const parts: string[] = [];
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined) parts.push(`${labelName(name)}="${escapeLabelValue(value)}"`);
  }
  return parts.join(',');
}

/** A label's name as it stands before its value: in quotes where it is more than every scraper takes. */
function labelName(name: string): string {
  return isLegacyLabelName(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** A metric's name as it stands in metadata: the same. */
export function metricName(name: string): string {
  return isLegacyMetricName(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** A label's value as both text formats escape it. */
export function escapeLabelValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** A help text as the Prometheus text format escapes it. */
export function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** The reverse of `escapeHelp`. */
export function unescapeHelp(help: string): string {
  return unescaped(help);
}

/** The reverse of `formatLabels`. */
export function parseLabels(text: string): Record<string, string> {
  const labels: [string, string][] = [];
  for (const [, quoted, name, value] of text.matchAll(LABELS)) {
    labels.push([name ?? unescaped(quoted as string), unescaped(value as string)]);
  }
  // Not by assignment: __proto__ is a valid name.
  return Object.fromEntries(labels);
}

const LABELS = /(?:"((?:[^"\\]|\\.)*)"|([^=,"]+))="((?:[^"\\]|\\.)*)"/gs;

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, code: string) => (code === 'n' ? '\n' : code));
}
