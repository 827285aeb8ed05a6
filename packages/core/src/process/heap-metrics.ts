import { getHeapSpaceStatistics } from 'node:v8';
import { type DefaultMetricsScope, oncePerTurn } from './default-metrics-scope.js';

export function defineHeapSize(scope: DefaultMetricsScope): void {
  const usage = oncePerTurn(() => process.memoryUsage());
  for (const [name, help, field] of [
    ['nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.', 'heapTotal'],
    ['nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', 'heapUsed'],
    ['nodejs_external_memory_bytes', 'Node.js external memory size in bytes.', 'external'],
  ] as const) {
    scope.gauge({ name, help }, (set) => set(usage()[field]));
  }
}

export function defineHeapSpaces(scope: DefaultMetricsScope): void {
  const spaces = oncePerTurn(getHeapSpaceStatistics);
  for (const [part, field] of [
    ['total', 'space_size'],
    ['used', 'space_used_size'],
    ['available', 'space_available_size'],
  ] as const) {
    scope.gauge(
      {
        name: `nodejs_heap_space_size_${part}_bytes`,
        help: `Process heap space size ${part} from Node.js in bytes.`,
        labelNames: ['space'],
      },
      (set) => {
        for (const space of spaces()) {
          set(space[field], { space: space.space_name.replace(/_space$/, '') });
        }
      },
    );
  }
}

export function defineVersion(scope: DefaultMetricsScope): void {
  const { version } = process;
  const [major = '', minor = '', patch = ''] = version.slice(1).split('-', 1)[0]?.split('.') ?? [];
  scope.gauge(
    {
      name: 'nodejs_version_info',
      help: 'Node.js version info.',
      labelNames: ['version', 'major', 'minor', 'patch'],
      aggregator: 'first',
    },
    (set) => set(1, { version, major, minor, patch }),
  );
}
