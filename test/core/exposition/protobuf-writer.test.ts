import { ProtobufWriter, varintBytes } from '@offloop/core/internal/exposition/protobuf-writer.js';
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Random, runSeed } from '../../support/random.js';

const WHOLE_NUMBERS = [
  0,
  1,
  63,
  64,
  127,
  128,
  255,
  16_383,
  16_384,
  2 ** 21 - 1,
  2 ** 21,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 35,
  2 ** 49,
  2 ** 53 - 1,
  2 ** 53,
];

const DOUBLES = [
  0,
  -0,
  1.5,
  -1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2.2250738585072014e-308,
  Number.MAX_VALUE,
];

/** Field 1 as a varint, as a double, as something with a length. */
const VARINT = 0x08;
const DOUBLE = 0x09;
const DELIMITED = 0x0a;

function written(write: (writer: ProtobufWriter) => void, initialBytes?: number) {
  const writer = new ProtobufWriter(initialBytes);
  write(writer);
  return writer.take();
}

/** As another library writes it. */
function expected(write: (writer: protobuf.Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer);
  return Uint8Array.from(writer.finish());
}

describe('protobuf writer', () => {
  for (const value of WHOLE_NUMBERS) {
    it(`writes ${value} as protobufjs does, signed and unsigned`, () => {
      const bytes = written((writer) => writer.varint(value));
      expect(bytes).to.deep.equal(expected((writer) => writer.uint64(value)));
      expect(varintBytes(value)).to.equal(bytes.length);
      for (const signed of [value, -value]) {
        const zigzag = written((writer) => writer.zigzag(signed));
        expect(protobuf.Reader.create(zigzag).sint64().toString()).to.equal(
          BigInt(signed).toString(),
        );
        // Beyond, protobufjs takes numbers only as a Long.
        if (value < 2 ** 52) {
          expect(zigzag).to.deep.equal(expected((writer) => writer.sint64(signed)));
        }
      }
    });
  }

  it(`writes any whole number, seed ${runSeed}`, () => {
    const random = new Random();
    for (let count = 0; count < 5_000; count++) {
      const value = Math.floor(random.unit() * 2 ** random.below(54));
      const reader = protobuf.Reader.create(
        written((writer) => {
          writer.varint(value);
          writer.zigzag(value);
          writer.zigzag(-value);
        }, 1),
      );
      expect(Number(reader.uint64())).to.equal(value);
      expect(Number(reader.sint64())).to.equal(value);
      expect(-Number(reader.sint64())).to.equal(value);
      expect(reader.pos).to.equal(reader.len);
    }
  });

  it('writes doubles as they are', () => {
    for (const value of DOUBLES) {
      const bytes = written((writer) => writer.double(DOUBLE, value));
      expect(bytes).to.deep.equal(expected((writer) => writer.uint32(DOUBLE).double(value)));
    }
  });

  it('writes any text as UTF-8, lone surrogates as U+FFFD', () => {
    for (const text of ['', 'a', 'é日本🦊', '\0', 'x'.repeat(1_000_000), '\ud800', 'a\udc00b']) {
      const bytes = written((writer) => writer.text(DELIMITED, text));
      const reader = protobuf.Reader.create(bytes);
      expect(reader.uint32()).to.equal(DELIMITED);
      expect(reader.string()).to.equal(text.toWellFormed());
      expect(reader.pos).to.equal(reader.len);
    }
  });

  it('gives a message its length, whatever room was left for it', () => {
    for (const size of [0, 1, 127, 128, 129, 16_383, 16_384, 3_000_000]) {
      for (const room of [1, 2, 3, 4]) {
        const content = Uint8Array.from({ length: size }, (_, index) => index % 251);
        const bytes = written((writer) => {
          writer.byte(0x2a);
          const start = writer.open(DELIMITED, room);
          writer.copy(content, 0, size);
          expect(writer.close(start, room)).to.equal(varintBytes(size));
          writer.byte(0x2b);
        }, 1);
        const reader = protobuf.Reader.create(bytes);
        expect(reader.uint32()).to.equal(0x2a);
        expect(reader.uint32()).to.equal(DELIMITED);
        expect(Buffer.compare(reader.bytes(), content)).to.equal(0);
        expect(reader.uint32()).to.equal(0x2b);
        expect(reader.pos).to.equal(reader.len);
      }
    }
  });

  it('moves what is nested along with what is around it', () => {
    const bytes = written((writer) => {
      const outer = writer.openUntagged(1);
      const inner = writer.open(DELIMITED, 3);
      writer.text(DELIMITED, 'y'.repeat(200));
      writer.close(inner, 3);
      writer.byte(VARINT);
      writer.varint(7);
      writer.close(outer, 1);
    }, 0);
    const reader = protobuf.Reader.create(bytes);
    expect(reader.uint32()).to.equal(1 + 2 + 203 + 2);
    expect(reader.uint32()).to.equal(DELIMITED);
    expect(reader.uint32()).to.equal(203);
    expect(reader.uint32()).to.equal(DELIMITED);
    expect(reader.string()).to.equal('y'.repeat(200));
    expect(reader.uint32()).to.equal(VARINT);
    expect(reader.uint32()).to.equal(7);
    expect(reader.pos).to.equal(reader.len);
  });

  it('copies short and long pieces', () => {
    const source = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256);
    for (const count of [0, 1, 59, 60, 61, 62, 999]) {
      const bytes = written((writer) => writer.copy(source, 1, 1 + count), 4);
      expect(Buffer.compare(bytes, source.subarray(1, 1 + count))).to.equal(0);
    }
  });

  it('is empty after its bytes were taken, and can be used again', () => {
    const writer = new ProtobufWriter();
    writer.expect(1_000_000);
    writer.byte(1);
    const first = writer.take();
    writer.byte(2);
    expect([...writer.take()]).to.deep.equal([2]);
    expect([...first]).to.deep.equal([1]);
    expect(writer.take()).to.have.length(0);
  });
});
