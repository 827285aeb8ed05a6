/** What a snapshot says of the process. Bytes are as of the last second. */
export interface ProcessFacts {
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly nodeVersion: string;
  readonly residentBytes: number;
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
