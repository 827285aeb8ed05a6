import * as control from '@offloop/core/internal/layout/control-block.js';
import { expect } from 'chai';
import { constantName, tableRows } from './docstring-tables.js';

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

  it('has a table whose bytes are four times its cells', () => {
    for (const { byte, cell } of rows) expect(byte).to.equal(cell * 4);
  });

  it('has no cell in two fields, and none outside of it', () => {
    const taken = rows.flatMap(({ cell, cells }) =>
      Array.from({ length: cells }, (_, index) => cell + index),
    );
    expect(new Set(taken).size).to.equal(taken.length);
    expect(Math.max(...taken)).to.be.below(control.CONTROL_BLOCK_BYTES / 4);
  });

  it('keeps the cells of different writers out of each other’s 128 bytes', () => {
    const writers = new Map<number, string>();
    for (const { byte, cells, writer } of rows) {
      for (let at = byte; at < byte + cells * 4; at += 4) {
        const group = Math.floor(at / 128);
        expect(writers.get(group) ?? writer, `byte ${at}`).to.equal(writer);
        writers.set(group, writer);
      }
    }
    expect(new Set(writers.values())).to.deep.equal(
      new Set(['creator', 'producer', 'consumer', 'both']),
    );
  });
});
