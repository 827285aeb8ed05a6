import { OPTION_RULES, type OptionRule, resolveOptions } from '@offloop/core';
import { expect } from 'chai';
import { refusalOf } from '../refusal.js';

const NO_ENVIRONMENT = {};

/** `{ 'ring.capacityRecords': 1 }` → `{ ring: { capacityRecords: 1 } }` */
function treeOf(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function valueAt(tree: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], tree);
}

type Expected = 'OFFLOOP_ERR_OPTION_TYPE' | 'OFFLOOP_ERR_OPTION_RANGE';
const TYPE = 'OFFLOOP_ERR_OPTION_TYPE';
const RANGE = 'OFFLOOP_ERR_OPTION_RANGE';

interface Cases {
  readonly good: readonly unknown[];
  /** Value, code, and the value as the message shows it. */
  readonly bad: readonly (readonly [unknown, Expected, string])[];
}

/** Values on both sides of each border, from what the rule says in words: the words are checked along with the rule. */
function casesOf(rule: OptionRule): Cases {
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
        [-minimum, RANGE, String(-minimum)],
        [0, RANGE, '0'],
        [Number.NaN, RANGE, 'NaN'],
        [Number.POSITIVE_INFINITY, RANGE, 'Infinity'],
        [String(minimum), TYPE, `"${minimum}"`],
        [BigInt(minimum), TYPE, `${minimum}n`],
        [true, TYPE, 'true'],
        [{}, TYPE, '[object Object]'],
      ],
    };
  }
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

describe('options', () => {
  it('have their defaults where nothing is given, also as undefined', () => {
    const defaults = resolveOptions({}, NO_ENVIRONMENT);
    for (const [path, rule] of Object.entries(OPTION_RULES)) {
      expect(valueAt(defaults, path), path).to.deep.equal(rule.default);
      expect(resolveOptions(treeOf(path, undefined), NO_ENVIRONMENT)).to.deep.equal(defaults);
    }
    for (const nothing of [undefined, null]) {
      expect(resolveOptions(nothing as undefined, NO_ENVIRONMENT)).to.deep.equal(defaults);
    }
  });

  for (const [path, rule] of Object.entries(OPTION_RULES)) {
    const { good, bad } = casesOf(rule);
    it(`take ${path} at both ends of its range`, () => {
      for (const value of good) {
        expect(valueAt(resolveOptions(treeOf(path, value), NO_ENVIRONMENT), path)).to.deep.equal(
          value,
        );
      }
    });

    it(`refuse a wrong ${path} with its path, the rule and the value`, () => {
      const everywhere: Cases['bad'] = [
        [null, TYPE, 'null'],
        [() => 1, TYPE, 'function (anonymous)'],
        [Symbol('x'), TYPE, 'Symbol(x)'],
      ];
      for (const [value, code, shown] of [...bad, ...everywhere]) {
        expect(refusalOf(code, () => resolveOptions(treeOf(path, value), NO_ENVIRONMENT))).to.equal(
          `${path} must be ${rule.rule}, got ${shown}`,
        );
      }
    });
  }

  it('refuse an unknown option, and name those that there are', () => {
    const message = refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () =>
      resolveOptions({ rings: 5 } as never, NO_ENVIRONMENT),
    );
    expect(message).to.match(/^rings must be one of the options engine, .*ring, .*, got 5$/);
    expect(message).to.not.include('ring.capacityRecords');
  });

  it('refuse an unknown option whose name every object has', () => {
    for (const key of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      const options = JSON.parse(`{"${key}": 5}`) as object;
      expect(
        refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () => resolveOptions(options, NO_ENVIRONMENT)),
      ).to.match(new RegExp(`^${key} must be one of the options .*, got 5$`));
    }
  });

  it('refuse an unknown option in a branch, and name its siblings', () => {
    for (const key of ['capacity', 'toString', '__proto__', '']) {
      const branch = JSON.parse(`{${JSON.stringify(key)}: 5}`) as object;
      expect(
        refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () =>
          resolveOptions({ ring: branch } as never, NO_ENVIRONMENT),
        ),
      ).to.equal(`ring.${key} must be one of the options ring.capacityRecords, got 5`);
    }
  });

  it('refuse an unknown option also where its value is undefined', () => {
    refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () =>
      resolveOptions({ rings: undefined } as never, NO_ENVIRONMENT),
    );
  });

  it('refuse a branch that is no object', () => {
    for (const [branch, shown] of [
      [null, 'null'],
      [5, '5'],
      ['x', '"x"'],
      [[256], '[256]'],
      [true, 'true'],
    ]) {
      expect(
        refusalOf('OFFLOOP_ERR_OPTION_TYPE', () =>
          resolveOptions({ ring: branch } as never, NO_ENVIRONMENT),
        ),
      ).to.equal(`ring must be an object, got ${shown}`);
    }
  });

  it('refuse options that are no object', () => {
    for (const [options, shown] of [
      [5, '5'],
      ['x', '"x"'],
      [[], '[]'],
      [true, 'true'],
    ]) {
      expect(
        refusalOf('OFFLOOP_ERR_OPTION_TYPE', () =>
          resolveOptions(options as never, NO_ENVIRONMENT),
        ),
      ).to.equal(`options must be an object, got ${shown}`);
    }
  });

  it('are frozen through and through, and apart from the arrays that were given', () => {
    const bucketsMs = [1, 2];
    const resolved = resolveOptions({ http: { bucketsMs } }, NO_ENVIRONMENT);
    bucketsMs.push(0);
    expect(resolved.http.bucketsMs).to.deep.equal([1, 2]);
    const expectFrozen = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).to.equal(true);
      for (const inner of Object.values(value)) expectFrozen(inner);
    };
    expectFrozen(resolved);
    expectFrozen(resolveOptions({}, NO_ENVIRONMENT));
  });
});

describe('environment variables', () => {
  const variables: Record<string, { path: string; good: [string, unknown][]; bad: string[] }> = {
    METRICS_HISTOGRAM_BUCKETS: {
      path: 'http.bucketsMs',
      good: [
        ['25,50,100', [25, 50, 100]],
        [' 0.5 , 1e3 ', [0.5, 1000]],
        ['7', [7]],
      ],
      bad: [
        'x',
        '25;50',
        '25,,50',
        '25,',
        ',',
        '50,25',
        '25,25',
        '0',
        '-1,1',
        'Infinity',
        'NaN',
        '[25]',
      ],
    },
    METRICS_WINDOW_SIZE_SECONDS: {
      path: 'window.seconds',
      good: [
        ['60', 60],
        [' 1 ', 1],
        ['864e2', 86_400],
      ],
      bad: ['0', '86401', '-60', '1.5', '5m', '60,60', 'Infinity', 'NaN', '[60]', 'true'],
    },
    METRICS_MAX_SAMPLES: {
      path: 'reservoir.capacity',
      good: [
        ['100', 100],
        ['1e6', 1_000_000],
      ],
      bad: ['99', '1000001', '1_000', '10k', 'null', '1000.5'],
    },
    METRICS_EVENT_LOOP_MONITORING: {
      path: 'eventLoop.enabled',
      good: [
        ['true', true],
        ['FALSE', false],
        ['1', true],
        ['0', false],
        ['yes', true],
        [' off ', false],
        ['On', true],
        ['no', false],
      ],
      bad: ['maybe', '2', 'truee', 'null', '-'],
    },
    METRICS_PROMETHEUS_ENABLED: {
      path: 'prometheus.enabled',
      good: [
        ['false', false],
        ['true', true],
      ],
      bad: ['enabled', 't', '00'],
    },
  };

  it('are those that the rules name', () => {
    const named = Object.values(OPTION_RULES).flatMap(({ environment }) => environment?.name ?? []);
    expect(named.sort()).to.deep.equal(Object.keys(variables).sort());
  });

  for (const [name, { path, good, bad }] of Object.entries(variables)) {
    const rule = OPTION_RULES[path] as OptionRule;

    it(`are read: ${name}`, () => {
      for (const [text, value] of good) {
        expect(valueAt(resolveOptions({}, { [name]: text }), path), text).to.deep.equal(value);
      }
    });

    it(`are not set when they are empty: ${name}`, () => {
      for (const text of ['', '  ', undefined]) {
        expect(valueAt(resolveOptions({}, { [name]: text }), path)).to.deep.equal(rule.default);
      }
    });

    it(`are refused with the name, the rule and the text: ${name}`, () => {
      for (const text of bad) {
        expect(
          refusalOf('OFFLOOP_ERR_ENVIRONMENT', () => resolveOptions({}, { [name]: text })),
        ).to.equal(`${name} must be ${rule.rule}, got ${JSON.stringify(text)}`);
      }
    });

    it(`lose against an option in code, and are checked all the same: ${name}`, () => {
      const [[, fromVariable] = []] = good;
      const inCode =
        typeof fromVariable === 'boolean'
          ? !fromVariable
          : typeof fromVariable === 'number'
            ? fromVariable + 7
            : [9];
      const options = treeOf(path, inCode);
      const [text] = good[0] as [string, unknown];
      expect(valueAt(resolveOptions(options, { [name]: text }), path)).to.deep.equal(inCode);
      refusalOf('OFFLOOP_ERR_ENVIRONMENT', () => resolveOptions(options, { [name]: bad[0] }));
    });
  }
});
