import { pathOf } from '@offloop/worker/http';

const QUESTION_MARK = 63;
const SLASH = 47;

/**
 * The paths at which scrapes are answered, as requests ask for them: each one does, and nearly all in vain, so that a look at one letter of the
 * URL is to be enough.
 */
export class ScrapePaths {
  /** A bit for each letter that follows the slash in one of them. Letters that leave the same remainder by 32 share it. */
  #firstLetters = 0;
  #paths: readonly string[] = [];

  constructor(paths: readonly string[]) {
    this.set(paths);
  }

  /** @param paths Each begins with a slash. */
  set(paths: readonly string[]): void {
    this.#paths = [...paths];
    this.#firstLetters = paths.length === 0 ? 0 : WHOLE_URL_BIT;
    for (const path of paths) this.#firstLetters |= path === '/' ? -1 : letterBit(path);
  }

  /** Whether the URL's path is one of these. No string is made and hashed for it. */
  has(url: string): boolean {
    return (this.#firstLetters & letterBit(url)) !== 0 && this.#find(url);
  }

  #find(url: string): boolean {
    if (url.charCodeAt(0) !== SLASH) return this.#paths.includes(pathOf(url));
    for (let index = 0; index < this.#paths.length; index++) {
      const path = this.#paths[index] as string;
      const isWhole = url.length === path.length || url.charCodeAt(path.length) === QUESTION_MARK;
      if (isWhole && url.startsWith(path)) return true;
    }
    return false;
  }
}

function letterBit(path: string): number {
  return 1 << (path.charCodeAt(1) & 31);
}

/** A whole URL begins with `http`, and no proxy but an odd one sends it. */
const WHOLE_URL_BIT = letterBit('http');
