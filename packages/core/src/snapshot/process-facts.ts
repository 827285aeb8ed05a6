/** What a snapshot says of the process. Bytes are as of the last second. */
export interface ProcessFacts {
  /** Number of the process. */
  readonly pid: number;
  /** Time since the process began, seconds. */
  readonly uptimeSeconds: number;
  /** Version of Node, `v20.19.0`. */
  readonly nodeVersion: string;
  /** Resident memory of the process, all threads included, bytes. */
  readonly residentBytes: number;
  /** Used heap of the thread that reads, bytes. */
  readonly heapUsedBytes: number;
}

/** Node takes some 30 µs to ask the system for memory, which is a third of what a snapshot may take. */
const MEMORY_AGE_MS_MAX = 1_000;

/** Reads the process's facts, its memory at most once a second. */
export class ProcessReader {
  private memory: NodeJS.MemoryUsage | undefined;
  private readMs = 0;

  read(): ProcessFacts {
    const nowMs = performance.now();
    // A clock that goes back is a fake one.
    if (this.memory === undefined || Math.abs(nowMs - this.readMs) >= MEMORY_AGE_MS_MAX) {
      this.memory = process.memoryUsage();
      this.readMs = nowMs;
    }
    return {
      pid: process.pid,
      uptimeSeconds: process.uptime(),
      nodeVersion: process.version,
      residentBytes: this.memory.rss,
      heapUsedBytes: this.memory.heapUsed,
    };
  }
}
