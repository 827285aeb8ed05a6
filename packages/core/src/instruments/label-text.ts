/** A label set in exposition form without braces: `method="GET",route="/"`. Labels without a value are left out. */
export function formatLabels(
  names: readonly string[],
  values: readonly (string | undefined)[],
): string {
  const parts: string[] = [];
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined) parts.push(`${name}="${escapeLabelValue(value)}"`);
  }
  return parts.join(',');
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
  for (const [, name, value] of text.matchAll(/([^=,"]+)="((?:[^"\\]|\\.)*)"/gs)) {
    labels.push([name as string, unescaped(value as string)]);
  }
  // Not by assignment: __proto__ is a valid name.
  return Object.fromEntries(labels);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, code: string) => (code === 'n' ? '\n' : code));
}
