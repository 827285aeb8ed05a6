const INITIAL_BYTES = 64 * 1024;
/** A longer copy is worth a call of set(), which costs as much as a loop over so many bytes. */
const LOOP_BYTES_MAX = 60;
const VARINT_BYTES_MAX = 10;
/** From here on a number has bits that the operators for 32 bits would lose. */
const ABOVE_INT32 = 2 ** 31;

/**
 * Writes protobuf's wire format: what a field holds, each after its tag (protobuf-schema.ts).
 *
 * A message's length stands before it and is known after it. `open` leaves room for a length of so many bytes, and `close` writes it: only
 * where the room was not right, the message is moved. The same bytes as a count beforehand gives, at a fraction of its time.
 */
export class ProtobufWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private length = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.bytes = new Uint8Array(initialBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * Begins a message.
   *
   * @param lengthBytes Bytes that its length will probably take: 1 below 128 bytes, 2 below 16 KB, 3 below 2 MB.
   * @returns Where it begins, for `close`.
   */
  open(tag: number, lengthBytes: number): number {
    this.byte(tag);
    return this.openUntagged(lengthBytes);
  }

  /** The same without a tag: a message of a delimited stream. */
  openUntagged(lengthBytes: number): number {
    this.reserve(lengthBytes);
    this.length += lengthBytes;
    return this.length;
  }

  /**
   * Ends a message, by what `open` returned and was given.
   *
   * @returns Bytes that its length takes: the best guess for the next of its kind.
   */
  close(start: number, lengthBytes: number): number {
    const size = this.length - start;
    const needed = varintBytes(size);
    if (needed !== lengthBytes) {
      this.reserve(Math.max(0, needed - lengthBytes));
      this.bytes.copyWithin(start + needed - lengthBytes, start, this.length);
    }
    putVarint(this.bytes, start - lengthBytes, size);
    this.length += needed - lengthBytes;
    return needed;
  }

  /** Writes an unsigned number: a whole one below 2^64, exact as far as a double is. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    this.length = putVarint(this.bytes, this.length, value);
  }

  /** Writes a signed number in zigzag: a whole one of at most 2^53 from zero, which doubled would not be exact any more. */
  zigzag(value: number): void {
    const isNegative = value < 0;
    const magnitude = isNegative ? -1 - value : value;
    // Seven bits go into the first byte, of which the lowest is the sign.
    const first = (magnitude % 64) * 2 + (isNegative ? 1 : 0);
    if (magnitude < 64) {
      this.byte(first);
      return;
    }
    this.byte(first | 0x80);
    this.varint(Math.floor(magnitude / 64));
  }

  /** Writes a double with its tag; every pattern of bits but NaN's, of which there is one. */
  double(tag: number, value: number): void {
    this.reserve(9);
    this.bytes[this.length] = tag;
    this.view.setFloat64(this.length + 1, value, true);
    this.length += 9;
  }

  /** Writes a text with its tag; any Unicode, a lone surrogate as U+FFFD. */
  text(tag: number, text: string): void {
    const bytes = Buffer.from(text);
    this.byte(tag);
    this.varint(bytes.length);
    this.copy(bytes, 0, bytes.length);
  }

  /** Copies bytes. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count > LOOP_BYTES_MAX) {
      this.bytes.set(source.subarray(start, end), this.length);
    } else {
      const { bytes } = this;
      let at = this.length;
      for (let index = start; index < end; index++) bytes[at++] = source[index] as number;
    }
    this.length += count;
  }

  /** Writes one byte: a tag, or a length below 128. */
  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Makes room for about as many bytes as will follow; room that is not used stays address space. */
  expect(count: number): void {
    const needed = this.length + Math.ceil(count);
    if (needed > this.bytes.length) this.grow(needed);
  }

  /** What was written. The writer is empty afterwards and the bytes are the caller's. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.length = 0;
    return taken;
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.bytes.length) this.grow(Math.max(needed, this.bytes.length * 2));
  }

  private grow(size: number): void {
    const grown = new Uint8Array(size);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Writes at a place, and returns the one after it. */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= ABOVE_INT32) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  let low = rest | 0;
  while (low > 127) {
    bytes[at++] = (low & 127) | 0x80;
    low >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

/** Bytes that an unsigned number takes; a whole one below 2^64. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 128; rest /= 128) count++;
  return count;
}
