import {
  OPTION_RULES,
  type OptionRule,
  resolveOptions,
  resolveRouterOptions,
} from '@offloop/core/adapter';
import { expect } from 'chai';
import { refusalOf } from '../refusal.js';
import { casesOf, NOT_SHOWN, type OptionCases, TYPE, treeOf, valueAt } from './option-cases.js';

const NO_ENVIRONMENT = {};

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
      const everywhere: OptionCases['bad'] = [
        [null, TYPE, 'null'],
        [() => 1, TYPE, 'function (anonymous)'],
        [Symbol('x'), TYPE, 'Symbol(x)'],
      ];
      for (const [value, code, shown] of [...bad, ...everywhere]) {
        if (rule.rule === 'a function' && typeof value === 'function') continue;
        expect(refusalOf(code, () => resolveOptions(treeOf(path, value), NO_ENVIRONMENT))).to.equal(
          `${path} must be ${rule.rule}, got ${rule.isSecret ? NOT_SHOWN : shown}`,
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

  it('count what is undefined in a branch, or in a rule of an array, as not given', () => {
    const resolved = resolveOptions(
      { ring: undefined, errorRules: [{ class: 'x', status: 500, code: undefined }] },
      NO_ENVIRONMENT,
    );
    expect(resolved.ring).to.deep.equal(resolveOptions({}, NO_ENVIRONMENT).ring);
    expect(resolved.errorRules).to.deep.equal([{ class: 'x', status: 500 }]);
    expect(resolveRouterOptions({ health: undefined }).health).to.equal('/health');
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

  it('are not shown in any message where they are secret, or lie beside one', () => {
    for (const options of [
      { access: 'hush' },
      { access: { token: 'hush hush' } },
      { access: { tokn: 'hush' } },
      { portOptions: { basic: 'hush' } },
      { portOptions: { tlsKey: 'hush' } },
    ]) {
      let message = '';
      try {
        resolveOptions(options as never, NO_ENVIRONMENT);
      } catch (error) {
        message = String(error);
      }
      expect(message).to.include('got a value that is not shown').and.not.include('hush');
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
    const named = Object.values(OPTION_RULES).flatMap(({ environment }) => environment ?? []);
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

describe('options of the router', () => {
  const defaults = resolveRouterOptions(undefined);

  it('have their defaults, and are frozen', () => {
    expect(resolveRouterOptions({})).to.deep.equal(defaults);
    expect(Object.values(defaults).every((path) => /^\//.test(String(path)))).to.equal(true);
    expect(Object.isFrozen(defaults)).to.equal(true);
  });

  it('are paths, or false, and refused with their name, the rule and the value', () => {
    const rule = 'a path that begins with "/" and has no query, or false';
    const { good, bad } = casesOf({ default: '/', rule });
    for (const name of Object.keys(defaults)) {
      for (const value of good) {
        expect(resolveRouterOptions({ [name]: value })).to.deep.equal({
          ...defaults,
          [name]: value,
        });
      }
      for (const [value, code, shown] of bad) {
        expect(refusalOf(code, () => resolveRouterOptions({ [name]: value }))).to.equal(
          `${name} must be ${rule}, got ${shown}`,
        );
      }
    }
  });

  it('are refused where their name does not exist', () => {
    expect(
      refusalOf('OFFLOOP_ERR_OPTION_UNKNOWN', () => resolveRouterOptions({ page: '/x' } as never)),
    ).to.match(/^page must be one of the options metrics, .*health, healthExtended, got "\/x"$/);
  });
});
