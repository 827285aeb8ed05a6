import * as catalog from '@offloop/core/internal/layout/catalog.js';
import { expect } from 'chai';
import { constantName, tableRows } from './docstring-tables.js';

const constants: Readonly<Record<string, unknown>> = { ...catalog };

describe('catalog', () => {
  it('has entries whose cells are those of its two tables', () => {
    const rows = tableRows('catalog.ts');
    const firstSeriesRow = rows.findIndex(([, field]) => field === 'family');
    const check = (prefix: string, entry: string[][]): void => {
      const expected = Object.keys(constants).filter(
        (name) => name.startsWith(`${prefix}_`) && !name.endsWith('ENTRY_CELLS'),
      );
      const found = entry.map(([cells, field]) => {
        const name = `${prefix}_${constantName(field as string)}`;
        expect(constants[name], name).to.equal(Number((cells as string).split('–')[0]));
        return name;
      });
      expect(found.sort()).to.deep.equal(expected.sort());
    };
    check('FAMILY', rows.slice(0, firstSeriesRow));
    check('SERIES', rows.slice(firstSeriesRow));
  });
});
