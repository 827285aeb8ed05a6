import { LABEL_NAME, LABEL_VALUE, METRIC_LABEL } from './protobuf-schema.js';
import { type ProtobufWriter, varintBytes } from './protobuf-writer.js';

const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const NEWLINE = 0x0a;

/**
 * Writes labels from exposition form, in which memory has them, as they are: `a="b\"c","d.e"="f"`. Names and values are UTF-8 already.
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
    // A name is in quotes where it is more than the text format has without.
    const isQuoted = bytes[at] === QUOTE;
    const nameStart = isQuoted ? at + 1 : at;
    const nameEnd = isQuoted ? quoteAfter(bytes, nameStart, end) : equalsAfter(bytes, at, end);
    // Past the name's own quote, the equals sign and the value's quote.
    const valueStart = Math.min(nameEnd + (isQuoted ? 3 : 2), end);
    const valueEnd = quoteAfter(bytes, valueStart, end);
    // Past the quote and the comma.
    at = valueEnd + 2;
    const nameEscapes = isQuoted ? escapesIn(bytes, nameStart, nameEnd) : 0;
    const valueEscapes = escapesIn(bytes, valueStart, valueEnd);
    const nameBytes = nameEnd - nameStart - nameEscapes;
    const valueBytes = valueEnd - valueStart - valueEscapes;
    writer.byte(METRIC_LABEL);
    writer.varint(2 + varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes);
    writer.byte(LABEL_NAME);
    writer.varint(nameBytes);
    if (nameEscapes === 0) writer.copy(bytes, nameStart, nameEnd);
    else copyUnescaped(writer, bytes, nameStart, nameEnd);
    writer.byte(LABEL_VALUE);
    writer.varint(valueBytes);
    if (valueEscapes === 0) writer.copy(bytes, valueStart, valueEnd);
    else copyUnescaped(writer, bytes, valueStart, valueEnd);
  }
}

/** Writes labels that are no bytes yet. */
export function writeTextLabels(
  writer: ProtobufWriter,
  labels: Iterable<readonly [name: string, value: string]>,
): void {
  for (const [name, value] of labels) {
    const pair = writer.open(METRIC_LABEL, 1);
    writer.text(LABEL_NAME, name);
    writer.text(LABEL_VALUE, value);
    writer.close(pair, 1);
  }
}

function equalsAfter(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== EQUALS) at++;
  return at;
}

/** Where the quote stands that ends a text. */
function quoteAfter(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, end);
}

function escapesIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    count++;
    at++;
  }
  return count;
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
