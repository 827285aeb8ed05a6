import { readdirSync, readFileSync, statSync } from 'node:fs';
import { type DefaultMetricsScope, oncePerTurn } from './default-metrics-scope.js';

const US_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1000;
const BYTES_PER_KIBIBYTE = 1024;

/** CPU time since the process began: not since this call, so that it belongs to `process_start_time_seconds`. */
export function defineCpuTime(scope: DefaultMetricsScope): void {
  const usage = oncePerTurn(() => process.cpuUsage());
  scope.counter(
    {
      name: 'process_cpu_user_seconds_total',
      help: 'Total user CPU time spent in seconds.',
    },
    () => usage().user / US_PER_SECOND,
  );
  scope.counter(
    {
      name: 'process_cpu_system_seconds_total',
      help: 'Total system CPU time spent in seconds.',
    },
    () => usage().system / US_PER_SECOND,
  );
  scope.counter(
    {
      name: 'process_cpu_seconds_total',
      help: 'Total user and system CPU time spent in seconds.',
    },
    () => (usage().user + usage().system) / US_PER_SECOND,
  );
}

export function defineStartTime(scope: DefaultMetricsScope): void {
  const startedSeconds = Math.round(Date.now() / MS_PER_SECOND - process.uptime());
  scope.gauge(
    {
      name: 'process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
      aggregator: 'omit',
    },
    (set) => set(startedSeconds),
  );
}

/** Resident memory everywhere; virtual memory and data segment where Linux tells them. */
export function defineMemory(scope: DefaultMetricsScope): void {
  const status = oncePerTurn(readStatus);
  const isKnown = status() !== undefined;
  scope.gauge(
    { name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' },
    (set) => set(status()?.resident ?? process.memoryUsage.rss()),
  );
  if (!isKnown) return;
  scope.gauge(
    { name: 'process_virtual_memory_bytes', help: 'Virtual memory size in bytes.' },
    (set) => {
      const reading = status();
      if (reading !== undefined) set(reading.virtual);
    },
  );
  scope.gauge({ name: 'process_heap_bytes', help: 'Process heap size in bytes.' }, (set) => {
    const reading = status();
    if (reading !== undefined) set(reading.data);
  });
}

/** @returns `undefined` where the host does not tell, or Node's permission model refuses to ask. */
function readStatus() {
  const text = readProc('/proc/self/status');
  const bytesOf = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1]) * BYTES_PER_KIBIBYTE;
  const reading = {
    resident: bytesOf('VmRSS'),
    virtual: bytesOf('VmSize'),
    data: bytesOf('VmData'),
  };
  return Number.isNaN(reading.resident + reading.virtual + reading.data) ? undefined : reading;
}

/** Linux only. */
export function defineOpenFds(scope: DefaultMetricsScope): void {
  const listed = listFds();
  if (listed === undefined) return;
  // Since 6.2 the kernel gives their number as the folder's size: 10 000 sockets are then counted without 10 000 strings on the main loop.
  const isSized = sizeOfFds() === listed;
  scope.gauge({ name: 'process_open_fds', help: 'Number of open file descriptors.' }, (set) => {
    const count = isSized ? sizeOfFds() : listFds();
    if (count !== undefined) set(count);
  });
}

function listFds(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // Without the one that lists them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

function sizeOfFds(): number | undefined {
  try {
    return statSync('/proc/self/fd').size;
  } catch {
    return undefined;
  }
}

/** Linux only. */
export function defineMaxFds(scope: DefaultMetricsScope): void {
  const [, soft] =
    /^Max open files\s+(\d+|unlimited)/m.exec(readProc('/proc/self/limits') ?? '') ?? [];
  if (soft === undefined) return;
  const limit = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  scope.gauge(
    { name: 'process_max_fds', help: 'Maximum number of open file descriptors.' },
    (set) => set(limit),
  );
}

function readProc(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
