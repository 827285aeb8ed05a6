import type { OptionRule } from '@offloop/core/adapter';

/** `{ 'ring.capacityRecords': 1 }` → `{ ring: { capacityRecords: 1 } }` */
export function treeOf(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

/** The value at a path of a tree. */
export function valueAt(tree: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], tree);
}

type Expected = 'OFFLOOP_ERR_OPTION_TYPE' | 'OFFLOOP_ERR_OPTION_RANGE';
export const TYPE = 'OFFLOOP_ERR_OPTION_TYPE';
const RANGE = 'OFFLOOP_ERR_OPTION_RANGE';
/** What a message has in place of a secret. */
export const NOT_SHOWN = 'a value that is not shown';

/** Values on both sides of an option's rule. */
export interface OptionCases {
  readonly good: readonly unknown[];
  /** Value, code, and the value as the message shows it. */
  readonly bad: readonly (readonly [unknown, Expected, string])[];
}

/** Values on both sides of each border, from what the rule says in words: the words are checked along with the rule. */
export function casesOf(rule: OptionRule): OptionCases {
  const range = /\[(\d+), (\d+)\]$/.exec(rule.rule);
  if (range !== null) {
    const [minimum, maximum] = [Number(range[1]), Number(range[2])];
    const isPowerOfTwo = rule.rule.startsWith('a power of two');
    const outside = isPowerOfTwo
      ? [minimum / 2, minimum + 1, maximum - 1, maximum * 2]
      : [minimum - 1, maximum + 1];
    return {
      good: [minimum, maximum, isPowerOfTwo ? minimum * 2 : minimum + 1],
      bad: [
        ...outside.map((value) => [value, RANGE, String(value)] as const),
        [minimum + 0.5, RANGE, String(minimum + 0.5)],
        ...(minimum === 0 ? [] : ([-minimum, 0] as const)).map(
          (value) => [value, RANGE, String(value)] as const,
        ),
        [Number.NaN, RANGE, 'NaN'],
        [Number.POSITIVE_INFINITY, RANGE, 'Infinity'],
        [String(minimum), TYPE, `"${minimum}"`],
        [BigInt(minimum), TYPE, `${minimum}n`],
        [true, TYPE, 'true'],
        [{}, TYPE, '[object Object]'],
      ],
    };
  }
  const special = SPECIAL_CASES[rule.rule];
  if (special !== undefined) return special;
  if (typeof rule.default === 'boolean') {
    return {
      good: [true, false],
      bad: [
        [0, TYPE, '0'],
        [1, TYPE, '1'],
        ['true', TYPE, '"true"'],
        ['', TYPE, '""'],
        [{}, TYPE, '[object Object]'],
      ],
    };
  }
  if (rule.rule.startsWith('an array of paths')) {
    return {
      good: [[], ['/'], ['/a', '/b/%20c']],
      bad: [
        ['/metrics', TYPE, '"/metrics"'],
        [['metrics'], RANGE, '["metrics"]'],
        [['/a', '/b?c'], RANGE, '["/a", "/b?c"]'],
        [['/a#b'], RANGE, '["/a#b"]'],
        [['/a b'], RANGE, '["/a b"]'],
        [['/a\n'], RANGE, '["/a\\n"]'],
        [[''], RANGE, '[""]'],
        [[5], RANGE, '[5]'],
        [[['/a']], RANGE, '[[…]]'],
        [{ 0: '/a', length: 1 }, TYPE, '[object Object]'],
      ],
    };
  }
  if (rule.rule.endsWith('metric names')) {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `name_${index}`);
    return {
      good: [[], ['a'], ['a:b', '_c9'], names(8)],
      bad: [
        ['a', TYPE, '"a"'],
        [{ 0: 'a', length: 1 }, TYPE, '[object Object]'],
        [['1a'], RANGE, '["1a"]'],
        [['a', ''], RANGE, '["a", ""]'],
        [['a-b'], RANGE, '["a-b"]'],
        [['a\n'], RANGE, '["a\\n"]'],
        [[5], RANGE, '[5]'],
        [names(9), RANGE, `["${names(9).join('", "')}"]`],
      ],
    };
  }
  if (rule.rule === 'the name of a label, or false') {
    return {
      good: [false, 'a', '_b9'],
      bad: [
        ['', RANGE, '""'],
        ['1a', RANGE, '"1a"'],
        ['a:b', RANGE, '"a:b"'],
        ['a b', RANGE, '"a b"'],
        [true, RANGE, 'true'],
        [0, TYPE, '0'],
        [null, TYPE, 'null'],
        [['a'], TYPE, '["a"]'],
      ],
    };
  }
  if (rule.isMap === true) {
    return {
      good: [{}, { a: 'b', _c: 1, d: true, e: null }],
      bad: [
        [{ '1a': 'b' }, RANGE, '[object Object]'],
        [{ 'a b': 'b' }, RANGE, '[object Object]'],
        [{ a: {} }, RANGE, '[object Object]'],
        [{ a: undefined }, RANGE, '[object Object]'],
        [['a'], TYPE, '["a"]'],
        ['a', TYPE, '"a"'],
        [5, TYPE, '5'],
      ],
    };
  }
  if (rule.rule.startsWith('an array of rules')) {
    const shown = '[[object Object]]';
    return {
      good: [
        [],
        [{ class: 'slow', status: 504 }],
        [{ class: 'x', type: 'MyError', code: 5, pattern: '^a', status: 100 }],
      ],
      bad: [
        [[{ class: 'x' }], RANGE, shown],
        [[{ class: 'x', status: undefined }], RANGE, shown],
        [[{ status: 500 }], RANGE, shown],
        [[{ class: '', status: 500 }], RANGE, shown],
        [[{ class: 'x', status: 99 }], RANGE, shown],
        [[{ class: 'x', pattern: /a/ }], RANGE, shown],
        [[{ class: 'x', code: 'E', kind: 5 }], RANGE, shown],
        [['x'], RANGE, '["x"]'],
        [{}, TYPE, '[object Object]'],
        ['x', TYPE, '"x"'],
      ],
    };
  }
  if (rule.rule.startsWith('a path')) {
    return {
      good: [false, '/', '/a/b', '/a%20b'],
      bad: [
        ['', RANGE, '""'],
        ['metrics', RANGE, '"metrics"'],
        ['/a?b', RANGE, '"/a?b"'],
        ['/a b', RANGE, '"/a b"'],
        [true, RANGE, 'true'],
        [0, TYPE, '0'],
        [null, TYPE, 'null'],
        [['/a'], TYPE, '["/a"]'],
        [{}, TYPE, '[object Object]'],
      ],
    };
  }
  if (Array.isArray(rule.default)) {
    const isQuantiles = rule.rule.includes('below 1');
    const limit = Number(/^1 to (\d+) /.exec(rule.rule)?.[1]);
    const numbers = (length: number) => Array.from({ length }, (_, index) => index + 1);
    const shares = (length: number) => numbers(length).map((number) => number / 64);
    const holed = [25];
    holed.length = 2;
    if (isQuantiles) {
      return {
        good: [[0.5], [Number.MIN_VALUE, 1 - Number.EPSILON / 2], shares(limit)],
        bad: [
          [[], RANGE, '[]'],
          [[0], RANGE, '[0]'],
          [[0.5, 1], RANGE, '[0.5, 1]'],
          [[0.9, 0.5], RANGE, '[0.9, 0.5]'],
          [[0.5, 0.5], RANGE, '[0.5, 0.5]'],
          [[Number.NaN], RANGE, '[NaN]'],
          [['0.5'], RANGE, '["0.5"]'],
          [shares(limit + 1), RANGE, `[${shares(12).join(', ')}, …]`],
          [0.5, TYPE, '0.5'],
          ['0.5', TYPE, '"0.5"'],
        ],
      };
    }
    return {
      good: [[1], [0.5, 1e9], numbers(limit)],
      bad: [
        [[], RANGE, '[]'],
        [[0], RANGE, '[0]'],
        [[-1, 1], RANGE, '[-1, 1]'],
        [[2, 1], RANGE, '[2, 1]'],
        [[1, 1], RANGE, '[1, 1]'],
        [[1, Number.NaN], RANGE, '[1, NaN]'],
        [[1, Number.POSITIVE_INFINITY], RANGE, '[1, Infinity]'],
        [['1'], RANGE, '["1"]'],
        [[null], RANGE, '[null]'],
        [holed, RANGE, '[25, ]'],
        [numbers(limit + 1), RANGE, '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …]'],
        ['25,50', TYPE, '"25,50"'],
        [25, TYPE, '25'],
        [{ 0: 25, length: 1 }, TYPE, '[object Object]'],
      ],
    };
  }
  const choices = [...rule.rule.matchAll(/"([^"]+)"/g)].map(([, choice]) => choice);
  return {
    good: choices.length > 0 ? choices : ['/some/file.js', 'file:///some/file.js'],
    bad: [
      ['', RANGE, '""'],
      ...(choices.length === 0 ? [] : ['Auto', 'auto ', 'toString']).map(
        (text) => [text, RANGE, `"${text}"`] as const,
      ),
      [5, TYPE, '5'],
      [true, TYPE, 'true'],
      [['auto'], TYPE, '["auto"]'],
      [{}, TYPE, '[object Object]'],
      [new URL('file:///x.js'), TYPE, '[object URL]'],
    ],
  };
}

const PEM = '-----BEGIN CERTIFICATE-----\n';

/** Of rules that only one option or two have. */
const SPECIAL_CASES: Readonly<Record<string, OptionCases>> = {
  'a whole number in [0, 65535], or false': {
    good: [false, 0, 9464, 65_535],
    bad: [
      [-1, RANGE, '-1'],
      [65_536, RANGE, '65536'],
      [0.5, RANGE, '0.5'],
      [Number.NaN, RANGE, 'NaN'],
      [true, RANGE, 'true'],
      ['9464', TYPE, '"9464"'],
      [{}, TYPE, '[object Object]'],
    ],
  },
  'an IP address or a host name': {
    good: ['127.0.0.1', '::', 'localhost'],
    bad: [
      ['', RANGE, '""'],
      ['http://x', RANGE, '"http://x"'],
      ['a b', RANGE, '"a b"'],
      [5, TYPE, '5'],
    ],
  },
  'a text of visible ASCII characters': {
    good: ['x', '!~'],
    bad: [
      ['', RANGE, NOT_SHOWN],
      ['a b', RANGE, NOT_SHOWN],
      ['é', RANGE, NOT_SHOWN],
      [5, TYPE, NOT_SHOWN],
      [['x'], TYPE, NOT_SHOWN],
    ],
  },
  'a user and a password with a colon between them': {
    good: ['a:b', 'a:b:c', 'é:ü x'],
    bad: [
      ['', RANGE, NOT_SHOWN],
      ['user', RANGE, NOT_SHOWN],
      [':password', RANGE, NOT_SHOWN],
      ['user:', RANGE, NOT_SHOWN],
      [{ user: 'a', password: 'b' }, TYPE, NOT_SHOWN],
    ],
  },
  'a text in PEM': { good: [PEM, `x\n${PEM}`], bad: [] },
  'an array of host names without ports': {
    good: [[], ['metrics.internal', 'localhost']],
    bad: [
      ['x', TYPE, '"x"'],
      [['x:80'], RANGE, '["x:80"]'],
      [[''], RANGE, '[""]'],
      [['a b'], RANGE, '["a b"]'],
      [[5], RANGE, '[5]'],
    ],
  },
  'an array of IP addresses, of networks as 10.0.0.0/8, or loopback': {
    good: [[], ['loopback'], ['10.0.0.0/8', '192.168.1.1', '::1', 'fe80::/10']],
    bad: [
      ['10.0.0.1', TYPE, '"10.0.0.1"'],
      [['10.0.0.0/33'], RANGE, '["10.0.0.0/33"]'],
      [['10.0.0.0/'], RANGE, '["10.0.0.0/"]'],
      [['256.0.0.1'], RANGE, '["256.0.0.1"]'],
      [['1.2.3'], RANGE, '["1.2.3"]'],
      [['::/129'], RANGE, '["::/129"]'],
      [['localhost'], RANGE, '["localhost"]'],
      [[''], RANGE, '[""]'],
    ],
  },
  'an object with the functions warn and error': {
    good: [console, Object.create({ warn() {}, error() {} })],
    bad: [
      ['x', TYPE, '"x"'],
      [null, TYPE, 'null'],
      [{ warn() {} }, TYPE, '[object Object]'],
      [{ warn: true, error() {} }, TYPE, '[object Object]'],
      [() => {}, TYPE, 'function (anonymous)'],
    ],
  },
  'a function': {
    good: [() => true],
    bad: [
      [true, TYPE, 'true'],
      ['x', TYPE, '"x"'],
      [{}, TYPE, '[object Object]'],
    ],
  },
};
