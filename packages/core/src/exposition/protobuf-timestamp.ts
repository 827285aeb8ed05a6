import * as schema from './protobuf-schema.js';
import type { ProtobufWriter } from './protobuf-writer.js';

/** Writes a time after 1970; of an earlier one there is nothing to say. */
export function writeTime(writer: ProtobufWriter, tag: number, timeMs: number): void {
  if (!(timeMs > 0)) return;
  const seconds = Math.floor(timeMs / 1000);
  const time = writer.open(tag, 1);
  writer.byte(schema.TIMESTAMP_SECONDS);
  writer.varint(seconds);
  writer.byte(schema.TIMESTAMP_NANOS);
  writer.varint(Math.floor((timeMs - seconds * 1000) * 1_000_000));
  writer.close(time, 1);
}
