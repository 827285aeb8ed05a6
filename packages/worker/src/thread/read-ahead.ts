import type { AheadReader, Drain } from '@offloop/core/engine';

/** Who reads snapshots a hundred times a second finds them read; who reads one a minute has it cost the thread two milliseconds. */
const POLLS_PER_READ = 10;

/**
 * Reads for main's next snapshot, so that main need not: when it is told to flush, and after so many polls with records for each snapshot that
 * was read, as who reads them often will read the next one soon. It does nothing for who reads none.
 */
export class ReadAhead {
  private readonly drain: Drain;
  private readonly reader: AheadReader;
  private readsSeen = 0;
  private pollsLeft = 0;

  constructor(drain: Drain, reader: AheadReader) {
    this.drain = drain;
    this.reader = reader;
  }

  /** Everything published is drained, and main waits for that. */
  flushed(): void {
    if (this.reader.reads !== 0) this.read();
  }

  /** The drain has taken records, and leaves few. */
  drained(): void {
    const { reads } = this.reader;
    if (reads !== this.readsSeen) {
      this.readsSeen = reads;
      this.pollsLeft = POLLS_PER_READ;
    }
    if (this.pollsLeft === 0) return;
    this.pollsLeft--;
    this.read();
  }

  private read(): void {
    // Where the lease is lost, the drain learns of it as well.
    this.drain.betweenBatches(this.reader.read);
  }
}
