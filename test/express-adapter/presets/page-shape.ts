/** Labels whose values differ between offloop and the packages, on purpose or by chance. */
const FREE_LABELS = new Set(['path', 'gctype']);

/** A page's families without offloop's own: types, and for each sample its name, labels and `le` or quantile. */
export function shapeOf(page: string): string[] {
  const lines = page.split('\n').filter((line) => !/^#? ?\w* ?offloop_/.test(line));
  const shapes = lines
    .filter((line) => line !== '' && !line.startsWith('# HELP'))
    .map((line) => {
      if (line.startsWith('#')) return line;
      const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) =>
        FREE_LABELS.has(label ?? '') ? label : `${label}=${value}`,
      );
      return `${name} ${pairs.sort().join(' ')}`;
    });
  return [...new Set(shapes)].sort();
}
