import type { Segment } from '../layout/segment.js';
import { ByteWriter, type WritableMemory } from './byte-writer.js';
import { type Capture, capture } from './capture.js';
import type { CaptureMemory } from './capture-memory.js';
import { withDefaultLabels } from './default-labels.js';
import { withEscapedNames } from './escaped-names.js';
import { DEFAULT_ESCAPING } from './name-escaping.js';
import { writeOpenMetrics } from './open-metrics-format.js';
import { CHUNK_BYTES } from './page-memory.js';
import { PIPELINE_FAMILIES, type PipelineFamily } from './pipeline-families.js';
import { writeProtobuf } from './protobuf-format.js';
import type { ExpositionFormat, ExpositionRequest } from './render.js';
import type { PausedWriting } from './sample-lines.js';
import { writeText } from './text-format.js';

type Format = (
  writer: ByteWriter,
  captured: Capture,
  pipelineFamilies: readonly PipelineFamily[],
) => PausedWriting;

const FORMATS: Readonly<Record<ExpositionFormat, Format>> = {
  text: writeText,
  openMetrics: writeOpenMetrics,
  protobuf: writeProtobuf,
};

/**
 * A page on its way into memory: its values are captured at once, as of one batch, and its bytes written a chunk at a time.
 */
export class PageWriting {
  /** Time that capturing and writing took so far. */
  renderMs = 0;
  private readonly writer = new ByteWriter(0);
  private readonly writing: PausedWriting;
  private isWritten = false;

  /**
   * @param memory Is used for the values until the page is written.
   * @throws {OffloopError} `OFFLOOP_ERR_OVERTAKEN` when memory changed under every attempt to read it.
   */
  constructor(segment: Segment, request: ExpositionRequest, memory?: CaptureMemory) {
    const startedMs = performance.now();
    const {
      families,
      includePipeline,
      format = 'text',
      defaultLabels = [],
      foreign = [],
      escaping: scheme = DEFAULT_ESCAPING,
    } = request;
    const pipelineFamilies = PIPELINE_FAMILIES.filter(({ name }) =>
      typeof includePipeline === 'boolean' ? includePipeline : includePipeline.includes(name),
    );
    // Only protobuf has native histograms.
    const needs = { sketches: format === 'protobuf', exemplars: format !== 'text' };
    // Before the default labels, which give way to labels that have come to be called like them.
    const escaped = withEscapedNames(capture(segment, families, needs, memory), {
      scheme,
      reserved: [...pipelineFamilies, ...foreign].map(({ name }) => name),
    });
    const captured = withDefaultLabels({ ...escaped, foreign }, defaultLabels);
    this.writing = FORMATS[format](this.writer, captured, pipelineFamilies);
    this.renderMs = performance.now() - startedMs;
  }

  /** Begins a chunk. What a single series needs beyond this memory is written to new memory, all of the chunk with it. */
  beginChunk(memory: WritableMemory): void {
    this.writer.writeTo(memory, CHUNK_BYTES);
  }

  /** Writes on. @returns Whether the chunk is complete; else this was a pause. */
  writeOn(): boolean {
    const startedMs = performance.now();
    this.isWritten = this.writing.next().done === true;
    this.renderMs += performance.now() - startedMs;
    return this.isWritten || this.writer.isFull;
  }

  /** The chunk; of the last one there may be no bytes. */
  get chunk(): { readonly bytes: Uint8Array; readonly isLast: boolean } {
    return { bytes: this.writer.written, isLast: this.isWritten };
  }
}
