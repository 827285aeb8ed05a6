/** Alignment of doubles. */
const STEP_BYTES = 8;

/**
 * Memory for the arrays of one capture after the other. What they hold at first is left from before, so whoever takes one writes all of it.
 */
export class CaptureMemory {
  private buffer = new ArrayBuffer(0);
  private usedBytes = 0;

  /** Begins anew: what was taken before is used again. */
  begin(): void {
    // As much as was needed before, where that was too much for one piece.
    if (this.usedBytes > this.buffer.byteLength) this.buffer = new ArrayBuffer(this.usedBytes);
    this.usedBytes = 0;
  }

  doubles(count: number): Float64Array<ArrayBuffer> {
    const at = this.take(count * 8);
    return at === undefined ? new Float64Array(count) : new Float64Array(this.buffer, at, count);
  }

  integers(count: number): Int32Array<ArrayBuffer> {
    const at = this.take(count * 4);
    return at === undefined ? new Int32Array(count) : new Int32Array(this.buffer, at, count);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    const at = this.take(count);
    return at === undefined ? new Uint8Array(count) : new Uint8Array(this.buffer, at, count);
  }

  /** @returns Where there is room; `undefined` where there is none, and a piece of its own is needed this time. */
  private take(bytes: number): number | undefined {
    const at = this.usedBytes;
    this.usedBytes += Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
    return this.usedBytes <= this.buffer.byteLength ? at : undefined;
  }
}
