import { type DefaultMetricsScope, oncePerTurn } from './default-metrics-scope.js';

/** Node's own lists, which are not in its types. */
interface ProcessInternals {
  _getActiveHandles?(): readonly unknown[];
  _getActiveRequests?(): readonly unknown[];
}

export function defineActiveResources(scope: DefaultMetricsScope): void {
  defineByType(scope, {
    names: ['nodejs_active_resources', 'nodejs_active_resources_total'],
    helps: [
      'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
      'Total number of active resources.',
    ],
    readTypes: () => process.getActiveResourcesInfo(),
  });
}

export function defineActiveHandles(scope: DefaultMetricsScope): void {
  const internals = process as ProcessInternals;
  if (internals._getActiveHandles === undefined) return;
  defineByType(scope, {
    names: ['nodejs_active_handles', 'nodejs_active_handles_total'],
    helps: [
      'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.',
      'Total number of active handles.',
    ],
    readTypes: () => (internals._getActiveHandles?.() ?? []).map(className),
  });
}

export function defineActiveRequests(scope: DefaultMetricsScope): void {
  const internals = process as ProcessInternals;
  if (internals._getActiveRequests === undefined) return;
  defineByType(scope, {
    names: ['nodejs_active_requests', 'nodejs_active_requests_total'],
    helps: [
      'Number of active libuv requests grouped by request type. Every request type is C++ class name.',
      'Total number of active requests.',
    ],
    readTypes: () => (internals._getActiveRequests?.() ?? []).map(className),
  });
}

function defineByType(
  scope: DefaultMetricsScope,
  of: {
    readonly names: readonly [byType: string, total: string];
    readonly helps: readonly [byType: string, total: string];
    readonly readTypes: () => readonly string[];
  },
): void {
  const types = oncePerTurn(of.readTypes);
  // A type that is gone stays as 0: a series that vanishes would keep its last value for five minutes of a query.
  const counts = new Map<string, number>();
  scope.gauge({ name: of.names[0], help: of.helps[0], labelNames: ['type'] }, (set) => {
    for (const type of counts.keys()) counts.set(type, 0);
    for (const type of types()) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const [type, count] of counts) set(count, { type });
  });
  scope.gauge({ name: of.names[1], help: of.helps[1] }, (set) => set(types().length));
}

function className(object: unknown): string {
  if (typeof object !== 'object' || object === null) return typeof object;
  const { name } = object.constructor ?? {};
  return typeof name === 'string' && name !== '' ? name : 'Object';
}
