import { openSync, readFileSync, readSync } from 'node:fs';

/** What the kernel tells of a thread at a moment. What it does not tell is `undefined`. */
export interface TaskReading {
  /** `R` runs or would, `S` and `D` wait, `T` and `t` are stopped. */
  readonly state: string;
  /** Time on a processor so far, ms. */
  readonly ranMs: number;
  /** The part of it that was in the kernel, ms, to within 10. */
  readonly kernelMs: number;
  /** Time so far in which it would have run and had to wait for a processor, ms. */
  readonly queuedMs: number | undefined;
}

/** Where in the kernel a thread waits. */
export interface TaskWait {
  /** Name of the kernel's function. */
  readonly channel?: string | undefined;
  /** Number of the system call, which differs by architecture. */
  readonly systemCall?: number | undefined;
}

/** The kernel counts 100 ticks a second in these files, whatever it counts by itself. */
const TICK_MS = 10;
const NS_PER_MS = 1e6;

/** The fields of `stat` after the name, which may hold spaces and brackets. */
const STATE = 0;
const USER_TICKS = 11;
const KERNEL_TICKS = 12;

/**
 * Reads what Linux tells of a thread of this process, which costs the other thread nothing.
 *
 * What is read again and again stays open until the calling thread ends: opening is most of what a reading costs.
 */
export class TaskFiles {
  private readonly folder: string;
  private readonly stat: OpenFile;
  private readonly schedule: OpenFile;

  /** @param taskId The kernel's id of the thread. Default: the calling one. */
  constructor(taskId?: number) {
    this.folder = taskId === undefined ? '/proc/thread-self' : `/proc/self/task/${taskId}`;
    this.stat = new OpenFile(`${this.folder}/stat`);
    this.schedule = new OpenFile(`${this.folder}/schedstat`);
  }

  /** @returns `undefined` where there is no such thread, no `/proc`, or a permission model that refuses it. */
  read(): TaskReading | undefined {
    const stat = this.stat.read();
    if (stat === undefined) return undefined;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const kernelMs = Number(fields[KERNEL_TICKS]) * TICK_MS;
    const [ranNs, queuedNs] = this.readSchedule();
    const hasSchedule = ranNs !== undefined && queuedNs !== undefined && ranNs > 0;
    return {
      state: fields[STATE] ?? '',
      ranMs: hasSchedule ? ranNs / NS_PER_MS : Number(fields[USER_TICKS]) * TICK_MS + kernelMs,
      kernelMs,
      queuedMs: hasSchedule ? queuedNs / NS_PER_MS : undefined,
    };
  }

  /** @returns Time so far in which it would have run and had to wait for a processor, ms. */
  readQueuedMs(): number | undefined {
    const [, queuedNs] = this.readSchedule();
    return queuedNs === undefined ? undefined : queuedNs / NS_PER_MS;
  }

  readWait(): TaskWait {
    const channel = this.file('wchan');
    const systemCall = Number.parseInt(this.file('syscall') ?? '', 10);
    return {
      channel: channel === undefined || channel === '0' ? undefined : channel,
      systemCall: Number.isNaN(systemCall) ? undefined : systemCall,
    };
  }

  private readSchedule(): number[] {
    return this.schedule.read()?.split(' ').map(Number) ?? [];
  }

  private file(name: string): string | undefined {
    try {
      return readFileSync(`${this.folder}/${name}`, 'latin1').trim();
    } catch {
      return undefined;
    }
  }
}

/** Longer than any of the files is. */
const FILE_BYTES = 4096;

/** A file of the kernel's that is read from its beginning again and again. */
class OpenFile {
  private readonly path: string;
  private readonly bytes = Buffer.allocUnsafe(FILE_BYTES);
  private descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** @returns `undefined` where it is not there any more, or cannot be opened. */
  read(): string | undefined {
    try {
      this.descriptor ??= openSync(this.path, 'r');
      const length = readSync(this.descriptor, this.bytes, 0, FILE_BYTES, 0);
      return this.bytes.toString('latin1', 0, length).trim();
    } catch {
      return undefined;
    }
  }
}
