import { OPTION_RULES } from '@offloop/core/adapter';
import * as layout from '@offloop/core/internal/layout/read-ahead.js';
import { expect } from 'chai';
import { constantName, describeRegion, tableRows } from './docstring-tables.js';

const constants: Readonly<Record<string, unknown>> = { ...layout };

/** double or range of doubles, field, writer */
const rows = tableRows('read-ahead.ts').map(([doubles, field, writer]) => {
  const [first, last] = (doubles as string).split(' … ');
  const from = Number.parseInt(first as string, 10);
  const end = (doubles as string).endsWith('…')
    ? layout.READ_AHEAD_DOUBLES
    : Number(last ?? from) + 1;
  return { from, count: end - from, field: field as string, writer: writer as string };
});

describe('read-ahead region', () => {
  it('has a table whose doubles are those of the constants', () => {
    const named = rows.filter(({ field }) => constantName(field) in constants);
    const cells = rows.filter(({ field }) => `${constantName(field)}_CELL` in constants);
    expect(named.length + cells.length).to.equal(rows.length);
    for (const { field, from } of named)
      expect(constants[constantName(field)], field).to.equal(from);
    for (const { field, from } of cells)
      expect(constants[`${constantName(field)}_CELL`], field).to.equal(2 * from);
  });

  it('has room for as many quantiles, bounds and routes as its table says', () => {
    const counts = Object.fromEntries(rows.map(({ field, count }) => [field, count]));
    expect(counts).to.deep.include({
      asked: layout.QUANTILES_MAX,
      values: layout.QUANTILES_MAX,
      wanted: layout.QUANTILES_MAX,
      buckets: layout.BUCKETS_MAX,
      rows: layout.ROUTES_MAX * layout.ROW_DOUBLES,
    });
    expect(layout.ROW_DOUBLES).to.equal(9);
    expect(OPTION_RULES['quantiles']?.rule).to.match(/32/);
    expect(OPTION_RULES['http.bucketsMs']?.rule).to.match(/256/);
  });

  describeRegion(
    rows.map(({ from, count, field, writer }) => ({
      byte: 8 * from,
      cell: 2 * from,
      cells: 2 * count,
      field,
      writer,
    })),
    { bytes: 8 * layout.READ_AHEAD_DOUBLES, writers: ['consumer', 'main'] },
  );
});
