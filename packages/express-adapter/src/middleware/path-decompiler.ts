/** One of the alternatives of an expression. */
export interface DecompiledPart {
  /** Its own part of the expression. */
  readonly source: string;
  /** The path that was probably typed, `undefined` where it can only have been a RegExp. */
  readonly path: string | undefined;
}

const HEAD = '^';
const TAIL = '/?(?=/|$)';

/**
 * Guesses the paths that path-to-regexp 0.1 compiled to this expression for a mount.
 *
 * Right for what people write and not for everything: whoever asks compiles the answer again, and compares.
 *
 * @param keyNames Name of each capturing group; numbers are those without a name.
 */
export function decompile(source: string, keyNames: readonly string[]): DecompiledPart[] {
  // Some engines write every slash of a source as `\/`, some only those outside of a class.
  const text = source.replace(/\\\//g, '/');
  const names = [...keyNames];
  return alternativesOf(text).map((part) => {
    if (part.startsWith(HEAD) && part.endsWith(TAIL)) {
      const path = new Decompiler(part.slice(HEAD.length, -TAIL.length), names).run();
      return { path, source: new RegExp(part).source };
    }
    names.splice(0, groupCount(part));
    return { path: undefined, source: part };
  });
}

/** Splits at the bars that stand in no group and in no class. */
function alternativesOf(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const token of text.match(/\\.|\[(?:\\.|[^\]])*\]|./gs) ?? []) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** What path-to-regexp writes for a parameter: `(?:` `\.` `/` `(`…`)` `*` `)` `?`, most of it optional. */
const PARAMETER_HEAD = /\(\?:(\\\.)?(\/)?(?=\((?!\?))/y;
const PARAMETER_STAR = /\(\(\?:\[\/(?:\\\.)?\]\.\+\?\)\?\)/y;
/** The capture of a parameter that was given no expression of its own; the last form is of releases since 0.1.10. */
const DEFAULT_CAPTURE = /^\((?:\[\^\/(?:\\\.)?\]\+\?|\(\?:\(\?!\/\|.*\)\.\)\+\?)\)$/;

class Decompiler {
  readonly #text: string;
  readonly #names: string[];
  #index = 0;

  /** @param names Names of the groups from here on; those of this text are taken off. */
  constructor(text: string, names: string[]) {
    this.#text = text;
    this.#names = names;
  }

  run(): string {
    let path = '';
    while (this.#index < this.#text.length) path += this.#parameter() ?? this.#other();
    return path;
  }

  #parameter(): string | undefined {
    const start = this.#index;
    const [name] = this.#names;
    const head = this.#take(PARAMETER_HEAD);
    if (head === undefined || name === undefined || /^\d+$/.test(name)) {
      this.#index = start;
      return undefined;
    }
    const capture = this.#takeGroup();
    const star = this.#take(PARAMETER_STAR) === undefined ? '' : '*';
    if (capture === undefined || this.#text[this.#index] !== ')') {
      this.#index = start;
      return undefined;
    }
    this.#index += 1;
    const optional = this.#text[this.#index] === '?' ? '?' : '';
    this.#index += optional.length;
    this.#names.splice(0, groupCount(capture) + star.length);
    const own = DEFAULT_CAPTURE.test(capture) ? '' : capture.replaceAll('(.*)', '*');
    const slash = head.endsWith('/') ? '/' : '';
    return `${slash}${head.includes('.') ? '.' : ''}:${name}${own}${star}${optional}`;
  }

  #other(): string {
    const rest = this.#text.slice(this.#index);
    const [written, typed] = REWRITES.find(([from]) => rest.startsWith(from)) ?? ['', undefined];
    if (typed === undefined) {
      const size = rest[0] === '\\' ? 2 : 1;
      if (rest[0] === '(' && rest[1] !== '?') this.#names.shift();
      this.#index += size;
      return rest.slice(0, size);
    }
    if (typed === '*') this.#names.shift();
    this.#index += written.length;
    return typed;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#text)?.[0];
    this.#index += found?.length ?? 0;
    return found;
  }

  /** Takes `(`…`)` with all that is inside. */
  #takeGroup(): string | undefined {
    let depth = 0;
    for (let index = this.#index; index < this.#text.length; index += 1) {
      const character = this.#text[index];
      if (character === '\\') index += 1;
      else if (character === '(') depth += 1;
      else if (character === ')') depth -= 1;
      if (depth > 0) continue;
      const group = this.#text.slice(this.#index, index + 1);
      this.#index = index + 1;
      return group;
    }
    return undefined;
  }
}

/** What path-to-regexp writes, and what it was typed as. */
const REWRITES: readonly (readonly [string, string])[] = [
  ['(.*)', '*'],
  ['/(?:', '/('],
  ['\\.', '.'],
];

function groupCount(text: string): number {
  return text.match(/\\.|\((?!\?)/g)?.filter((found) => found === '(').length ?? 0;
}
