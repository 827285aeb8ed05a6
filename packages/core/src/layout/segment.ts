import { OffloopError, showValue } from '../errors.js';
import { FIRST_BLOCK } from './aggregates.js';
import { FAMILY_ENTRY_CELLS, SERIES_ENTRY_CELLS } from './catalog.js';
import * as control from './control-block.js';
import { HEALTH_DOUBLES } from './health.js';
import { READ_AHEAD_DOUBLES } from './read-ahead.js';
import { RECORD_BYTES } from './record.js';
import { logEntries } from './redo-log.js';
import { WATCH_BYTES } from './watch.js';

/** What a segment is laid out for. All of it is fixed when the segment is created. */
export interface SegmentSizes {
  /** Slots of the ring; a power of two. */
  readonly capacityRecords: number;
  readonly maxFamilies: number;
  readonly maxSeries: number;
  /** Names, help texts, label sets, bounds and lookup tables. */
  readonly catalogBytes: number;
  /** Doubles that the series' blocks share. */
  readonly aggregateCells: number;
}

/**
 * Segment: the memory of one producing thread, in one SharedArrayBuffer.
 *
 *   region            bytes                            begins at
 *   ────────────────  ───────────────────────────────  ────────────────────
 *   control block     CONTROL_BLOCK_BYTES              0
 *   watch             WATCH_BYTES                      after it, and so on;
 *   health            8 × HEALTH_DOUBLES               each padded to
 *   read-ahead        8 × READ_AHEAD_DOUBLES           128 bytes
 *   ring              16 × capacityRecords
 *   log cells, values 4, 8 × logEntries()
 *   family entries    4 × 32 × maxFamilies
 *   series entries    4 × 10 × maxSeries
 *   catalog bytes     catalogBytes
 *   aggregates        8 × aggregateCells
 *
 * The buffer never grows: a view that tracks the length of a growable one looks it up at each access, which makes a store many times slower
 * than through a view of fixed length. Pages that nobody touches cost no resident memory.
 */
export class Segment {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: SegmentSizes;

  readonly control: Int32Array<SharedArrayBuffer>;
  readonly watch: Int32Array<SharedArrayBuffer>;
  readonly health: Float64Array<SharedArrayBuffer>;
  /** The same as cells, for its sequence. */
  readonly healthCells: Int32Array<SharedArrayBuffer>;
  readonly readAhead: Float64Array<SharedArrayBuffer>;
  /** The same as cells, for its sequence and the count of reads. */
  readonly readAheadCells: Int32Array<SharedArrayBuffer>;
  readonly ringCells: Int32Array<SharedArrayBuffer>;
  readonly ringValues: Float64Array<SharedArrayBuffer>;
  readonly logCells: Uint32Array<SharedArrayBuffer>;
  readonly logValues: Float64Array<SharedArrayBuffer>;
  readonly families: Int32Array<SharedArrayBuffer>;
  readonly series: Int32Array<SharedArrayBuffer>;
  /** The series entries again, for their doubles. */
  readonly seriesDoubles: Float64Array<SharedArrayBuffer>;
  readonly catalogBytes: Uint8Array<SharedArrayBuffer>;
  /** The catalog's bytes again, for bounds and for lookup tables. */
  readonly catalogDoubles: Float64Array<SharedArrayBuffer>;
  readonly catalogHalves: Uint16Array<SharedArrayBuffer>;
  /** The same as cells, for exemplars. */
  readonly catalogCells: Int32Array<SharedArrayBuffer>;
  readonly aggregates: Float64Array<SharedArrayBuffer>;
  /** The aggregates as cells, for live blocks. */
  readonly liveCells: Int32Array<SharedArrayBuffer>;

  private constructor(buffer: SharedArrayBuffer, sizes: SegmentSizes) {
    const regions = regionsOf(sizes);
    this.buffer = buffer;
    this.sizes = sizes;
    this.control = new Int32Array(buffer, 0, control.CONTROL_BLOCK_BYTES / 4);
    this.watch = new Int32Array(buffer, regions.watch, WATCH_BYTES / 4);
    this.health = new Float64Array(buffer, regions.health, HEALTH_DOUBLES);
    this.healthCells = new Int32Array(buffer, regions.health, HEALTH_DOUBLES * 2);
    this.readAhead = new Float64Array(buffer, regions.readAhead, READ_AHEAD_DOUBLES);
    this.readAheadCells = new Int32Array(buffer, regions.readAhead, READ_AHEAD_DOUBLES * 2);
    this.ringCells = new Int32Array(
      buffer,
      regions.ring,
      (sizes.capacityRecords * RECORD_BYTES) / 4,
    );
    this.ringValues = new Float64Array(
      buffer,
      regions.ring,
      (sizes.capacityRecords * RECORD_BYTES) / 8,
    );
    this.logCells = new Uint32Array(buffer, regions.logCells, logEntries(sizes.capacityRecords));
    this.logValues = new Float64Array(buffer, regions.logValues, logEntries(sizes.capacityRecords));
    this.families = new Int32Array(
      buffer,
      regions.families,
      sizes.maxFamilies * FAMILY_ENTRY_CELLS,
    );
    this.series = new Int32Array(buffer, regions.series, sizes.maxSeries * SERIES_ENTRY_CELLS);
    this.seriesDoubles = new Float64Array(
      buffer,
      regions.series,
      (sizes.maxSeries * SERIES_ENTRY_CELLS) / 2,
    );
    this.catalogBytes = new Uint8Array(buffer, regions.catalogBytes, sizes.catalogBytes);
    this.catalogDoubles = new Float64Array(buffer, regions.catalogBytes, sizes.catalogBytes / 8);
    this.catalogHalves = new Uint16Array(buffer, regions.catalogBytes, sizes.catalogBytes / 2);
    this.catalogCells = new Int32Array(buffer, regions.catalogBytes, sizes.catalogBytes / 4);
    this.aggregates = new Float64Array(buffer, regions.aggregates, sizes.aggregateCells);
    this.liveCells = new Int32Array(buffer, regions.aggregates, sizes.aggregateCells * 2);
  }

  /**
   * Lays a new segment out.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_MEMORY` when the host cannot give so much.
   */
  static create(sizes: SegmentSizes): Segment {
    const { end } = regionsOf(sizes);
    let buffer: SharedArrayBuffer;
    try {
      buffer = new SharedArrayBuffer(end);
    } catch (cause) {
      throw new OffloopError(
        'OFFLOOP_ERR_MEMORY',
        `memory: a segment of ${end} bytes must be available to the process, and it is refused; lower memory.maxSeries or memory.aggregateBytes`,
        { cause },
      );
    }
    const segment = new Segment(buffer, sizes);
    const header = segment.control;
    header[control.SEGMENT_BYTES_CELL] = end;
    header[control.CAPACITY_RECORDS_CELL] = sizes.capacityRecords;
    header[control.MAX_FAMILIES_CELL] = sizes.maxFamilies;
    header[control.MAX_SERIES_CELL] = sizes.maxSeries;
    header[control.CATALOG_BYTES_CELL] = sizes.catalogBytes;
    header[control.AGGREGATE_CELLS_CELL] = sizes.aggregateCells;
    header[control.AGGREGATES_END] = FIRST_BLOCK;
    header[control.LAYOUT_VERSION_CELL] = control.LAYOUT_VERSION;
    header[control.MAGIC_CELL] = control.MAGIC;
    return segment;
  }

  /**
   * Views a segment that another thread created.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_SEGMENT_MAGIC`, `OFFLOOP_ERR_SEGMENT_VERSION`, `OFFLOOP_ERR_SEGMENT_SIZE`: never reads
   *   memory that it does not understand.
   */
  static attach(buffer: SharedArrayBuffer): Segment {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < control.CONTROL_BLOCK_BYTES) {
      throw new OffloopError(
        'OFFLOOP_ERR_SEGMENT_SIZE',
        `segment.buffer must be a SharedArrayBuffer of at least ${control.CONTROL_BLOCK_BYTES} bytes, got ${
          buffer instanceof SharedArrayBuffer ? `${buffer.byteLength} bytes` : showValue(buffer)
        }`,
      );
    }
    const header = new Uint32Array(buffer, 0, control.AGGREGATE_CELLS_CELL + 1);
    const field = (cell: number): number => header[cell] as number;
    if (field(control.MAGIC_CELL) !== control.MAGIC) {
      throw new OffloopError(
        'OFFLOOP_ERR_SEGMENT_MAGIC',
        `segment.magic must be 0x${control.MAGIC.toString(16)}, got 0x${field(control.MAGIC_CELL).toString(16)}`,
      );
    }
    if (field(control.LAYOUT_VERSION_CELL) !== control.LAYOUT_VERSION) {
      throw new OffloopError(
        'OFFLOOP_ERR_SEGMENT_VERSION',
        `segment.layoutVersion must be ${control.LAYOUT_VERSION}, got ${field(control.LAYOUT_VERSION_CELL)}`,
      );
    }
    const sizes: SegmentSizes = {
      capacityRecords: field(control.CAPACITY_RECORDS_CELL),
      maxFamilies: field(control.MAX_FAMILIES_CELL),
      maxSeries: field(control.MAX_SERIES_CELL),
      catalogBytes: field(control.CATALOG_BYTES_CELL),
      aggregateCells: field(control.AGGREGATE_CELLS_CELL),
    };
    const { end } = regionsOf(sizes);
    if (end !== field(control.SEGMENT_BYTES_CELL) || end !== buffer.byteLength) {
      throw new OffloopError(
        'OFFLOOP_ERR_SEGMENT_SIZE',
        `segment.bytes must be ${end} as its header says, got a buffer of ${buffer.byteLength}`,
      );
    }
    return new Segment(buffer, sizes);
  }
}

/** Where each region of a segment begins, in bytes, and where the last one ends. */
export function regionsOf(sizes: SegmentSizes) {
  const watch = padded(control.CONTROL_BLOCK_BYTES);
  const health = padded(watch + WATCH_BYTES);
  const readAhead = padded(health + HEALTH_DOUBLES * 8);
  const ring = padded(readAhead + READ_AHEAD_DOUBLES * 8);
  const logCells = padded(ring + sizes.capacityRecords * RECORD_BYTES);
  const logValues = padded(logCells + logEntries(sizes.capacityRecords) * 4);
  const families = padded(logValues + logEntries(sizes.capacityRecords) * 8);
  const series = padded(families + sizes.maxFamilies * FAMILY_ENTRY_CELLS * 4);
  const catalogBytes = padded(series + sizes.maxSeries * SERIES_ENTRY_CELLS * 4);
  const aggregates = padded(catalogBytes + sizes.catalogBytes);
  return {
    watch,
    health,
    readAhead,
    ring,
    logCells,
    logValues,
    families,
    series,
    catalogBytes,
    aggregates,
    end: aggregates + sizes.aggregateCells * 8,
  };
}

/** Regions have different writers, so they begin two cache lines apart. */
function padded(bytes: number): number {
  return Math.ceil(bytes / 128) * 128;
}
