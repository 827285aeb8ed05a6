import * as control from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { constantName, describeRegion, tableRows } from './docstring-tables.js';

const constants: Readonly<Record<string, unknown>> = { ...control };

/** byte, cell, type and count, field, writer */
const rows = tableRows('control-block.ts').map(([byte, cell, ...rest]) => {
  const [, cells, field] = /^u32(?:×(\d))? ?(\w+)?$/.exec(rest[0] as string) as RegExpExecArray;
  const texts = field === undefined ? rest.slice(1) : [field, ...rest.slice(1)];
  return {
    byte: Number(byte),
    cell: Number(cell),
    cells: Number(cells ?? 1),
    field: texts[0] as string,
    writer: texts[1] as string,
  };
});

describe('control block', () => {
  it('has a table whose cells are those of the constants, one row each', () => {
    const named = rows.map(({ field, cell }) => {
      const name = constantName(field);
      return [name in constants ? name : `${name}_CELL`, cell];
    });
    const others = ['MAGIC', 'LAYOUT_VERSION', 'CONTROL_BLOCK_BYTES'];
    // The table names the field `magic`, whose cell is MAGIC_CELL: MAGIC itself is a value.
    const expected = Object.entries(constants).filter(([name]) => !others.includes(name));
    const fields = named.map(([name, cell]) =>
      others.includes(name as string) ? [`${name}_CELL`, cell] : [name, cell],
    );
    expect(Object.fromEntries(fields)).to.deep.equal(Object.fromEntries(expected));
  });

  describeRegion(rows, {
    bytes: control.CONTROL_BLOCK_BYTES,
    writers: ['creator', 'producer', 'consumer', 'both'],
  });
});
