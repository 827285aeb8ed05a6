import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

/** Rows of the tables in the docstrings of a layout file, as their cells, split where two spaces are. */
export function tableRows(file: string): string[][] {
  const core = dirname(createRequire(import.meta.url).resolve('@offloop/core/package.json'));
  const source = readFileSync(join(core, 'src', 'layout', file), 'utf8');
  const rows: string[][] = [];
  for (const [, docstring] of source.matchAll(/\/\*\*(.*?)\*\//gs)) {
    for (const line of (docstring as string).split('\n')) {
      const text = line.replace(/^ \* ?/, '').trim();
      if (/^\d/.test(text)) rows.push(text.split(/ {2,}/));
    }
  }
  return rows;
}

/** `producerCursor` → `PRODUCER_CURSOR` */
export function constantName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** A row of a region's table. */
export interface RegionRow {
  readonly byte: number;
  readonly cell: number;
  readonly cells: number;
  readonly writer: string;
}

/** Declares what holds of every region's table: no gap between bytes and cells, no cell twice, no two writers in one line of the cache. */
export function describeRegion(
  rows: readonly RegionRow[],
  of: { readonly bytes: number; readonly writers: readonly string[] },
): void {
  it('has a table whose bytes are four times its cells', () => {
    for (const { byte, cell } of rows) expect(byte).to.equal(cell * 4);
  });

  it('has no cell in two fields, and none outside of it', () => {
    const taken = rows.flatMap(({ cell, cells }) =>
      Array.from({ length: cells }, (_, index) => cell + index),
    );
    expect(new Set(taken).size).to.equal(taken.length);
    expect(Math.max(...taken)).to.be.below(of.bytes / 4);
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
    expect(new Set(writers.values())).to.deep.equal(new Set(of.writers));
  });
}
