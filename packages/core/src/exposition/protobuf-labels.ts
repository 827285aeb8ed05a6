import { LABEL_NAME, LABEL_VALUE, METRIC_LABEL } from './protobuf-schema.js';
import { type ProtobufWriter, varintBytes } from './protobuf-writer.js';

const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const NEWLINE = 0x0a;

/**
 * Writes labels from exposition form, in which memory has them, as they are: `a="b\"c","d.e"="f"`. All is UTF-8 already.
 *
 * Ends at `end` whatever stands there: damaged memory must not hold a thread.
 */
export function writeLabelPairs(
  writer: ProtobufWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  for (let at = start; at < end; ) {
    const isQuoted = bytes[at] === QUOTE;
    const nameStart = isQuoted ? at + 1 : at;
    at = nameStart;
    let nameEscapes = 0;
    while (at < end && bytes[at] !== (isQuoted ? QUOTE : EQUALS)) {
      if (isQuoted && bytes[at] === BACKSLASH) {
        nameEscapes++;
        at++;
      }
      at++;
    }
    const nameEnd = Math.min(at, end);
    // Past the quote of the name, the equals sign and the quote.
    const valueStart = Math.min(nameEnd + (isQuoted ? 3 : 2), end);
    let escapes = 0;
    for (at = valueStart; at < end && bytes[at] !== QUOTE; at++) {
      if (bytes[at] !== BACKSLASH) continue;
      escapes++;
      at++;
    }
    const valueEnd = Math.min(at, end);
    // Past the quote and the comma.
    at += 2;
    const nameBytes = Math.max(0, nameEnd - nameStart - nameEscapes);
    const valueBytes = Math.max(0, valueEnd - valueStart - escapes);
    writer.byte(METRIC_LABEL);
    writer.varint(2 + varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes);
    writer.byte(LABEL_NAME);
    writer.varint(nameBytes);
    if (nameEscapes === 0) writer.copy(bytes, nameStart, nameEnd);
    else copyUnescaped(writer, bytes, nameStart, nameEnd);
    writer.byte(LABEL_VALUE);
    writer.varint(valueBytes);
    if (escapes === 0) writer.copy(bytes, valueStart, valueEnd);
    else copyUnescaped(writer, bytes, valueStart, valueEnd);
  }
}

function copyUnescaped(
  writer: ProtobufWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let from = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    writer.copy(bytes, from, at);
    at++;
    from = at;
    if (at < end && bytes[at] === LETTER_N) {
      writer.byte(NEWLINE);
      from++;
    }
  }
  writer.copy(bytes, from, end);
}
