import {
  ESCAPING_SCHEMES,
  escapeLabelName,
  escapeName,
} from '@offloop/core/internal/exposition/name-escaping.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

/** Those of Prometheus' own tests. */
const NAMES: readonly (readonly [
  name: string,
  underscores: string,
  dots: string,
  values: string,
])[] = [
  ['', '', '', ''],
  ['no:escaping_required', 'no:escaping_required', 'no:escaping__required', 'no:escaping_required'],
  [
    'mysystem.prod.west.cpu.load',
    'mysystem_prod_west_cpu_load',
    'mysystem_dot_prod_dot_west_dot_cpu_dot_load',
    'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load',
  ],
  [
    'mysystem.prod.west.cpu.load_total',
    'mysystem_prod_west_cpu_load_total',
    'mysystem_dot_prod_dot_west_dot_cpu_dot_load__total',
    'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total',
  ],
  ['http.status:sum', 'http_status:sum', 'http_dot_status:sum', 'U__http_2e_status:sum'],
  ['label with 😱', 'label_with__', 'label__with____', 'U__label_20_with_20__1f631_'],
  ['花火', '__', '____', 'U___82b1__706b_'],
  ['1st', '_st', '__st', 'U___31_st'],
  ['\0_', '__', '____', 'U___0___'],
];

describe('escapeName', () => {
  for (const [name, underscores, dots, values] of NAMES) {
    it(`writes ${JSON.stringify(name)} as Prometheus does`, () => {
      expect(escapeName(name, 'underscores')).to.equal(underscores);
      expect(escapeName(name, 'dots')).to.equal(dots);
      expect(escapeName(name, 'values')).to.equal(values);
      expect(escapeName(name, 'allow-utf-8')).to.equal(name);
    });
  }

  it(`leaves what every scraper takes, of any name; and values keeps names apart, seed ${runSeed}`, () => {
    const random = new Random();
    const parts = [
      'a',
      'Z',
      '_',
      '__',
      '.',
      ':',
      '1',
      ' ',
      'é',
      '🦊',
      '\n',
      '"',
      '\\',
      'U__',
      '2e',
      '\0',
    ];
    const byEscaped = new Map<string, string>();
    for (let count = 0; count < 5_000; count++) {
      let name = '';
      for (let part = 1 + random.below(6); part > 0; part--) {
        name += parts[random.below(parts.length)] as string;
      }
      for (const scheme of ESCAPING_SCHEMES) {
        if (scheme === 'allow-utf-8') continue;
        expect(escapeName(name, scheme)).to.match(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
        expect(escapeLabelName(name, scheme)).to.match(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
      }
      if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) continue;
      const values = escapeName(name, 'values');
      expect(byEscaped.get(values) ?? name).to.equal(name);
      byEscaped.set(values, name);
    }
  });
});

describe('escapeLabelName', () => {
  it('leaves no colon, which no label may have', () => {
    expect(escapeLabelName('a_b:c', 'underscores')).to.equal('a_b_c');
    expect(escapeLabelName('a_b:c', 'dots')).to.equal('a__b__c');
    expect(escapeLabelName('a_b:c', 'values')).to.equal('U__a__b_3a_c');
    expect(escapeLabelName('a_b', 'values')).to.equal('a_b');
  });
});
