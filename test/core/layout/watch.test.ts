import * as watch from '@offloop/core/internal/layout/watch.js';
import { expect } from 'chai';
import { constantName, describeRegion, tableRows } from './docstring-tables.js';

const constants: Readonly<Record<string, unknown>> = { ...watch };
const OTHERS = ['STALL_PLACES', 'STALL_CELLS', 'STACK_BYTES_MAX', 'WATCH_BYTES', 'STALL_CAUSES'];

/** byte, cell, type and count, field, writer */
const rows = tableRows('watch.ts').map(([byte, cell, type, field, writer]) => ({
  byte: Number(byte),
  cell: Number(cell),
  cells: Number(/^u32(?:×(\d+))?$/.exec(type as string)?.[1] ?? 1),
  field: field as string,
  writer: writer as string,
}));

describe('watch region', () => {
  it('has a table whose cells are those of the constants, one row each', () => {
    const expected = Object.entries(constants).filter(([name]) => !OTHERS.includes(name));
    const named = rows.map(({ field, cell }) => [constantName(field), cell]);
    expect(Object.fromEntries(named)).to.deep.equal(Object.fromEntries(expected));
  });

  describeRegion(rows, { bytes: watch.WATCH_BYTES, writers: ['producer', 'watcher'] });
});
