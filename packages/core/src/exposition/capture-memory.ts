/** Alignment of doubles. */
const STEP_BYTES = 8;

/** Series come one by one: new memory for each would leave as much again to the collector. */
const GROWTH = 1.25;

/**
 * Memory for the arrays of one capture after the other. What they hold at first is left from before, so whoever takes one writes all of it.
 */
export class CaptureMemory {
  private buffer = new ArrayBuffer(0);
  private usedBytes = 0;
  private labelBytes = new Uint8Array(0);

  /**
   * Begins anew: what was taken before is used again.
   *
   * @param expectedBytes What will be taken. More than that is possible, and lies in memory of its own.
   */
  begin(expectedBytes: number): void {
    this.usedBytes = 0;
    if (expectedBytes <= this.buffer.byteLength) return;
    const isFirst = this.buffer.byteLength === 0;
    this.buffer = new ArrayBuffer(aligned(isFirst ? expectedBytes : expectedBytes * GROWTH));
  }

  doubles(count: number): Float64Array<ArrayBuffer> {
    const at = this.take(count * 8);
    return at === undefined ? new Float64Array(count) : new Float64Array(this.buffer, at, count);
  }

  integers(count: number): Int32Array<ArrayBuffer> {
    const at = this.take(count * 4);
    return at === undefined ? new Int32Array(count) : new Int32Array(this.buffer, at, count);
  }

  /** Room for labels, of which there is one a capture. */
  labels(bytes: number): Uint8Array<ArrayBuffer> {
    const { length } = this.labelBytes;
    if (bytes > length) this.labelBytes = new Uint8Array(length === 0 ? bytes : bytes * GROWTH);
    return this.labelBytes.subarray(0, bytes);
  }

  private take(bytes: number): number | undefined {
    const at = this.usedBytes;
    const end = at + aligned(bytes);
    if (end > this.buffer.byteLength) return undefined;
    this.usedBytes = end;
    return at;
  }
}

/** Bytes that an array of so many takes at most. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}
