import { writeLabelPairs } from '@offloop/core/internal/exposition/protobuf-labels.js';
import { ProtobufWriter } from '@offloop/core/internal/exposition/protobuf-writer.js';
import { escapeLabelValue, formatLabels } from '@offloop/core/internal/instruments/label-text.js';
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Random, runSeed } from '../../support/random.js';

const VALUES = [
  '',
  'GET',
  '"',
  '""',
  '\\',
  '\\\\',
  '\n',
  '\\n',
  'n',
  '\\"',
  ',',
  '="',
  '",b="',
  '}',
  '\0',
  '\r',
  'é日本🦊',
  '\ud800',
  'a\udc00b',
  'x'.repeat(127),
  'x'.repeat(128),
  '\\'.repeat(200),
  `${'y'.repeat(1_000_000)}"\n`,
];

function pairsOf(text: string, margin = 0): [string, string][] {
  const bytes = Buffer.from(`${'#'.repeat(margin)}${text}${'#'.repeat(margin)}`);
  const writer = new ProtobufWriter(1);
  writeLabelPairs(writer, bytes, margin, bytes.length - margin);
  const reader = protobuf.Reader.create(writer.take());
  const pairs: [string, string][] = [];
  while (reader.pos < reader.len) {
    expect(reader.uint32()).to.equal(0x0a);
    const end = reader.uint32() + reader.pos;
    expect(reader.uint32()).to.equal(0x0a);
    const name = reader.string();
    expect(reader.uint32()).to.equal(0x12);
    pairs.push([name, reader.string()]);
    expect(reader.pos).to.equal(end);
  }
  return pairs;
}

describe('labels in protobuf', () => {
  it('are none where there are none', () => {
    expect(pairsOf('')).to.deep.equal([]);
    expect(pairsOf('', 5)).to.deep.equal([]);
  });

  it('come back as they were recorded', () => {
    for (const value of VALUES) {
      for (const other of VALUES.slice(0, 12)) {
        const text = formatLabels(['a', 'another_name', '_'], [value, undefined, other]);
        expect(pairsOf(text, 3)).to.deep.equal([
          ['a', value.toWellFormed()],
          ['_', other.toWellFormed()],
        ]);
      }
    }
  });

  it('may have any name, which then stands in quotes', () => {
    for (const name of ['', 'a.b', 'é日本🦊', 'a="b', '\\', 'a\n"', 'x'.repeat(200)]) {
      const text = [name, name].map(
        (one) => `"${escapeLabelValue(one)}"="${escapeLabelValue(one)}"`,
      );
      expect(pairsOf(`plain="1",${text[0]},other="2",${text[1]}`, 2)).to.deep.equal([
        ['plain', '1'],
        [name, name],
        ['other', '2'],
        [name, name],
      ]);
    }
  });

  it('come back under their names, in quotes or not', () => {
    for (const name of VALUES.filter((text) => text !== '' && text.isWellFormed())) {
      for (const value of VALUES.slice(0, 12)) {
        const text = formatLabels(['a', name, '_'], ['x', value, 'y']);
        expect(pairsOf(text, 3)).to.deep.equal([
          ['a', 'x'],
          [name, value],
          ['_', 'y'],
        ]);
      }
    }
  });

  it(`end where the bytes end, whatever these are, seed ${runSeed}`, () => {
    const random = new Random();
    const parts = ['a', '=', '"', '\\', ',', 'n', '="', '\\"', 'é'];
    for (let count = 0; count < 5_000; count++) {
      let text = '';
      for (let part = random.below(10); part > 0; part--) {
        text += parts[random.below(parts.length)] as string;
      }
      // Also where it continues as if it were not over.
      pairsOf(text);
      pairsOf(text, 1);
    }
  });
});
