const INITIAL_BYTES = 64 * 1024;
const NINE_DIGITS = 1_000_000_000;

/**
 * Writes an exposition as bytes, without a string in between: concatenating strings took a thread four times as long
 * (PERFORMANCE.md, Scraping).
 */
export class ByteWriter {
  private bytes = new Uint8Array(INITIAL_BYTES);
  private length = 0;
  private readonly digits = new Uint8Array(20);

  /** Copies bytes. */
  copy(source: Uint8Array, start = 0, end: number = source.length): void {
    const count = end - start;
    this.reserve(count);
    const { bytes } = this;
    let at = this.length;
    // A loop, as the runs are short: a call of set() costs as much as 60 bytes.
    for (let index = start; index < end; index++) bytes[at++] = source[index] as number;
    this.length = at;
  }

  /** Writes one ASCII character. */
  byte(code: number): void {
    this.reserve(1);
    this.bytes[this.length++] = code;
  }

  /** Writes text; any Unicode. */
  text(text: string): void {
    this.copy(Buffer.from(text));
  }

  /** Writes a sample's value as the text formats want it. */
  number(value: number): void {
    const hasDigitsOnly = value > 0 || Object.is(value, 0);
    if (hasDigitsOnly && value < NINE_DIGITS && Number.isInteger(value)) this.digitsOf(value);
    else this.text(formatNumber(value));
  }

  /** What was written. The writer is empty afterwards and the bytes are the caller's. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = new Uint8Array(0);
    this.length = 0;
    return taken;
  }

  private digitsOf(value: number): void {
    const { digits } = this;
    let rest = value | 0;
    let start = digits.length;
    do {
      const next = (rest / 10) | 0;
      digits[--start] = 48 + rest - next * 10;
      rest = next;
    } while (rest !== 0);
    this.copy(digits, start);
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** A number in the text formats: shortest form that reads back equal; NaN, +Inf and -Inf by name. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
