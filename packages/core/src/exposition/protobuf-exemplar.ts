import type { Exemplar } from '../record/exemplar-slot.js';
import * as schema from './protobuf-schema.js';
import { writeTime } from './protobuf-time.js';
import type { ProtobufWriter } from './protobuf-writer.js';

/** Writes an exemplar under a tag: a counter's or a bucket's. */
export function writeExemplar(writer: ProtobufWriter, tag: number, exemplar: Exemplar): void {
  const start = writer.open(tag, 1);
  for (const [name, value] of exemplar.labels) {
    const pair = writer.open(schema.EXEMPLAR_LABEL, 1);
    writer.text(schema.LABEL_NAME, name);
    writer.text(schema.LABEL_VALUE, value);
    writer.close(pair, 1);
  }
  writer.double(schema.EXEMPLAR_VALUE, exemplar.value);
  writeTime(writer, schema.EXEMPLAR_TIMESTAMP, exemplar.timestampMs);
  writer.close(start, 1);
}
