import type { ResolvedOptions } from '../config/options.js';
import { Segment, type SegmentSizes } from '../layout/segment.js';
import { createRecorder, type Recorder } from '../record/recorder.js';
import { CatalogWriter } from './catalog-writer.js';

/** What the producing thread holds of its segment: all that writes names, label sets and records. */
export class Producer {
  readonly segment: Segment;
  readonly recorder: Recorder;
  readonly catalog: CatalogWriter;

  /** @throws {OffloopError} `OFFLOOP_ERR_MEMORY` when the host cannot give so much. */
  constructor(options: ResolvedOptions) {
    this.segment = Segment.create(segmentSizes(options));
    this.recorder = createRecorder(this.segment);
    this.catalog = new CatalogWriter(this.segment);
  }
}

/** What a segment must hold for these options. */
export function segmentSizes(options: ResolvedOptions): SegmentSizes {
  const { ring, memory } = options;
  return {
    capacityRecords: ring.capacityRecords,
    maxFamilies: memory.maxFamilies,
    maxSeries: memory.maxSeries,
    catalogBytes: Math.floor(memory.catalogBytes / 8) * 8,
    aggregateCells: Math.floor(memory.aggregateBytes / 8),
  };
}
