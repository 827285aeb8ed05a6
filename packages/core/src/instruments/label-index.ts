/** Ids by label values, and nested maps of them: one level a label, in the order of the label names. */
type Level = Map<unknown, Level | number>;

/**
 * Finds the series of a label set. Keyed by structure, a map a label, and not by joined text: values joined by a separator merge
 * series whose values contain it (test/core/peer-defects.test.ts, 1), and joining makes a text at each call.
 */
export class LabelIndex {
  private readonly names: readonly string[];
  private readonly root: Level = new Map();

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /**
   * Id of the series with these labels, or `undefined` if it is not indexed or the labels are not exactly the metric's: the caller then
   * takes the slow way. Allocates nothing.
   */
  findByObject(labels: Readonly<Record<string, unknown>>): number | undefined {
    const { names } = this;
    const count = names.length;
    let own = 0;
    for (const _ in labels) own++;
    if (own !== count) return undefined;
    if (count === 3) {
      const second = this.root.get(labels[names[0] as string]) as Level | undefined;
      if (second === undefined) return undefined;
      const third = second.get(labels[names[1] as string]) as Level | undefined;
      return third === undefined
        ? undefined
        : (third.get(labels[names[2] as string]) as number | undefined);
    }
    let level: Level | number | undefined = this.root;
    for (let index = 0; index < count && level !== undefined; index++) {
      level = (level as Level).get(labels[names[index] as string]);
    }
    // A metric without labels has no level to look in: the root is no id.
    return typeof level === 'number' ? level : undefined;
  }

  /** The same for values in the order of the label names. */
  findByValues(values: readonly unknown[]): number | undefined {
    let level: Level | number | undefined = this.root;
    for (let index = 0; index < values.length && level !== undefined; index++) {
      level = (level as Level).get(values[index]);
    }
    return level as number | undefined;
  }

  /** Indexes a series under these values, of which there are as many as names, at least one. */
  add(values: readonly unknown[], id: number): void {
    let level = this.root;
    for (const value of values.slice(0, -1)) {
      let next = level.get(value) as Level | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    level.set(values[values.length - 1], id);
  }

  /**
   * Takes a series out, under these texts and under every value that is spelled like them: 200 and "200" are one series.
   *
   * @returns Its id; `undefined` when there is none.
   */
  remove(texts: readonly string[]): number | undefined {
    const removed = this.findByValues(texts);
    if (removed !== undefined) removeFrom(this.root, texts, 0);
    return removed;
  }

  /** Takes every series out. */
  clear(): void {
    this.root.clear();
  }
}

function removeFrom(level: Level, texts: readonly string[], depth: number): void {
  for (const value of spelledLike(texts[depth] as string)) {
    if (depth === texts.length - 1) {
      level.delete(value);
      continue;
    }
    const next = level.get(value) as Level | undefined;
    if (next === undefined) continue;
    removeFrom(next, texts, depth + 1);
    if (next.size === 0) level.delete(value);
  }
}

/** The text, and what else a caller may have given for it and was indexed as it is: numbers and booleans. */
function spelledLike(text: string): unknown[] {
  const values: unknown[] = [text];
  if (String(Number(text)) === text) values.push(Number(text));
  if (text === 'true' || text === 'false') values.push(text === 'true');
  return values;
}
