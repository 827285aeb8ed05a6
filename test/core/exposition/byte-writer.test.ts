import { ByteWriter, formatNumber } from '@offloop/core/internal/exposition/byte-writer.js';
import { expect } from 'chai';
import { Random, runSeed } from '../../support/random.js';

function written(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter();
  write(writer);
  return Buffer.from(writer.take()).toString();
}

describe('ByteWriter', () => {
  it('gives no bytes when nothing was written', () => {
    expect(new ByteWriter().take()).to.have.length(0);
  });

  it('writes text of any Unicode', () => {
    expect(written((writer) => writer.text('a\0é🚀\n'))).to.equal('a\0é🚀\n');
  });

  it('copies whole sources, parts and nothing', () => {
    const source = Buffer.from('abcdef');
    expect(
      written((writer) => {
        writer.copy(source);
        writer.copy(source, 2, 4);
        writer.copy(source, 3, 3);
        writer.byte(0x21);
      }),
    ).to.equal('abcdefcd!');
  });

  for (const size of [65_535, 65_536, 65_537, 131_073, 1_000_000]) {
    it(`grows to ${size} bytes, written at once and byte by byte`, () => {
      const whole = 'x'.repeat(size - 1).concat('y');
      expect(written((writer) => writer.text(whole)) === whole).to.equal(true);
      const single = written((writer) => {
        for (let index = 1; index < size; index++) writer.byte(0x78);
        writer.byte(0x79);
      });
      expect(single === whole).to.equal(true);
    });
  }

  it('starts anew after take(), without touching what was taken', () => {
    const writer = new ByteWriter();
    writer.text('first');
    const first = writer.take();
    writer.text('second');
    expect(Buffer.from(first).toString()).to.equal('first');
    expect(Buffer.from(writer.take()).toString()).to.equal('second');
  });

  const numbers: [number, string][] = [
    [0, '0'],
    [1, '1'],
    [9, '9'],
    [10, '10'],
    [100, '100'],
    [999_999_999, '999999999'],
    [1_000_000_000, '1000000000'],
    [2_147_483_647, '2147483647'],
    [2_147_483_648, '2147483648'],
    [4_294_967_296, '4294967296'],
    [2 ** 53, '9007199254740992'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [1e-6, '0.000001'],
    [1e-7, '1e-7'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1.5, '1.5'],
    [-0, '-0'],
    [-1, '-1'],
    [-1_000_000_000, '-1000000000'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of numbers) {
    it(`writes ${text}`, () => {
      expect(written((writer) => writer.number(value))).to.equal(text);
      expect(formatNumber(value)).to.equal(text);
    });
  }

  it(`writes numbers that read back equal, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 5000; count++) {
      const value = count % 2 === 0 ? random.bits() : random.below(2 ** 32) - 2 ** 30;
      if (!Number.isFinite(value)) continue;
      expect(Number(written((writer) => writer.number(value)))).to.equal(value);
    }
  });
});
