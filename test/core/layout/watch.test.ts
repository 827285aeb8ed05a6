import * as watch from '@offloop/core/internal/layout/watch.js';
import { expect } from 'chai';
import { constantName, tableRows } from './docstring-tables.js';

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

  it('has a table whose bytes are four times its cells', () => {
    for (const { byte, cell } of rows) expect(byte).to.equal(cell * 4);
  });

  it('has no cell in two fields, and none outside of it', () => {
    const taken = rows.flatMap(({ cell, cells }) =>
      Array.from({ length: cells }, (_, index) => cell + index),
    );
    expect(new Set(taken).size).to.equal(taken.length);
    expect(Math.max(...taken)).to.be.below(watch.WATCH_BYTES / 4);
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
    expect(new Set(writers.values())).to.deep.equal(new Set(['producer', 'watcher']));
  });
});
