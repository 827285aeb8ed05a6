import * as control from '@offloop/core/internal/layout/control-block.js';
import { logEntries } from '@offloop/core/internal/layout/redo-log.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { expect } from 'chai';
import { refusalOf } from '../refusal.js';
import { SMALL } from '../segment-rig.js';

describe('Segment.create', () => {
  it('writes a header from which attach makes the same views', () => {
    const created = Segment.create(SMALL);
    const attached = Segment.attach(created.buffer);
    expect(attached.sizes).to.deep.equal(SMALL);
    for (const [name, view] of views(created)) {
      const other = new Map(views(attached)).get(name);
      expect([name, other?.byteOffset, other?.length]).to.deep.equal([
        name,
        view.byteOffset,
        view.length,
      ]);
    }
  });

  it('begins every region 128 bytes or a multiple after the start, without overlaps', () => {
    const segment = Segment.create({ ...SMALL, maxFamilies: 17, maxSeries: 33 });
    const regions = [
      segment.control,
      segment.watch,
      segment.health,
      segment.ringCells,
      segment.logCells,
      segment.logValues,
      segment.families,
      segment.series,
      segment.catalogBytes,
      segment.aggregates,
    ];
    let end = 0;
    for (const region of regions) {
      expect(region.byteOffset % 128).to.equal(0);
      expect(region.byteOffset).to.be.at.least(end);
      end = region.byteOffset + region.byteLength;
    }
    expect(end).to.equal(segment.buffer.byteLength);
  });

  it('gives the log room for the largest batch of the smallest and of the largest ring', () => {
    for (const capacityRecords of [2, 256, 65_536, 1_048_576]) {
      const largestBatch = Math.min(capacityRecords / 2, 32_768);
      expect(logEntries(capacityRecords)).to.be.at.least(largestBatch * 4 + 5);
    }
  });

  it('says what to lower when the host has no such memory', () => {
    const message = refusalOf('OFFLOOP_ERR_MEMORY', () =>
      Segment.create({ ...SMALL, aggregateCells: 2 ** 50 }),
    );
    expect(message).to.match(/^memory: a segment of \d+ bytes must be available .* lower memory\./);
  });
});

describe('Segment.attach', () => {
  const header = (buffer: SharedArrayBuffer): Uint32Array => new Uint32Array(buffer, 0, 8);

  it('refuses what is no SharedArrayBuffer', () => {
    for (const [given, shown] of [
      [new ArrayBuffer(65_536), '[object ArrayBuffer]'],
      [undefined, 'undefined'],
      [null, 'null'],
      ['text', '"text"'],
    ]) {
      const message = refusalOf('OFFLOOP_ERR_SEGMENT_SIZE', () =>
        Segment.attach(given as unknown as SharedArrayBuffer),
      );
      expect(message).to.equal(
        `segment.buffer must be a SharedArrayBuffer of at least 640 bytes, got ${shown}`,
      );
    }
  });

  it('refuses a buffer one byte below the control block, and looks at the magic from there on', () => {
    const below = new SharedArrayBuffer(control.CONTROL_BLOCK_BYTES - 1);
    expect(refusalOf('OFFLOOP_ERR_SEGMENT_SIZE', () => Segment.attach(below))).to.equal(
      'segment.buffer must be a SharedArrayBuffer of at least 640 bytes, got 639 bytes',
    );
    const enough = new SharedArrayBuffer(control.CONTROL_BLOCK_BYTES);
    refusalOf('OFFLOOP_ERR_SEGMENT_MAGIC', () => Segment.attach(enough));
  });

  it('refuses a wrong magic and shows both', () => {
    const { buffer } = Segment.create(SMALL);
    header(buffer)[control.MAGIC_CELL] = 0xdead_beef;
    expect(refusalOf('OFFLOOP_ERR_SEGMENT_MAGIC', () => Segment.attach(buffer))).to.equal(
      'segment.magic must be 0x6f66666c, got 0xdeadbeef',
    );
  });

  it('refuses the version before and the version after, and shows both', () => {
    for (const version of [control.LAYOUT_VERSION - 1, control.LAYOUT_VERSION + 1, 0xffff_ffff]) {
      const { buffer } = Segment.create(SMALL);
      header(buffer)[control.LAYOUT_VERSION_CELL] = version;
      expect(refusalOf('OFFLOOP_ERR_SEGMENT_VERSION', () => Segment.attach(buffer))).to.equal(
        `segment.layoutVersion must be ${control.LAYOUT_VERSION}, got ${version}`,
      );
    }
  });

  it('refuses a buffer that is shorter or longer than its header says', () => {
    const { buffer } = Segment.create(SMALL);
    for (const bytes of [buffer.byteLength - 8, buffer.byteLength + 8]) {
      const other = new SharedArrayBuffer(bytes);
      new Uint8Array(other).set(new Uint8Array(buffer).subarray(0, bytes));
      expect(refusalOf('OFFLOOP_ERR_SEGMENT_SIZE', () => Segment.attach(other))).to.equal(
        `segment.bytes must be ${buffer.byteLength} as its header says, got a buffer of ${bytes}`,
      );
    }
  });

  it('refuses a header of which one size was changed', () => {
    for (const cell of [
      control.SEGMENT_BYTES_CELL,
      control.CAPACITY_RECORDS_CELL,
      control.MAX_FAMILIES_CELL,
      control.MAX_SERIES_CELL,
      control.CATALOG_BYTES_CELL,
      control.AGGREGATE_CELLS_CELL,
    ]) {
      for (const value of [0, 0xffff_ffff]) {
        const { buffer } = Segment.create(SMALL);
        header(buffer)[cell] = value;
        refusalOf('OFFLOOP_ERR_SEGMENT_SIZE', () => Segment.attach(buffer));
      }
    }
  });
});

type View = Int32Array | Uint32Array | Float64Array | Uint8Array | Uint16Array;

function views(segment: Segment): [string, View][] {
  return Object.entries(segment).filter((entry): entry is [string, View] =>
    ArrayBuffer.isView(entry[1]),
  );
}
