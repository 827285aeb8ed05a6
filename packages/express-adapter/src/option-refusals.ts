import { OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import { ENTRY_NAMES } from './middleware/middleware-options.js';
import { read } from './middleware/unknown-value.js';
import type { MiddlewareOptions } from './presets/compile-options.js';

/** @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for options that belong to one middleware: nobody would act on them. */
export function refuseEntryOptions(options: MiddlewareOptions): void {
  for (const name of ENTRY_NAMES) {
    const value = read(options, name);
    if (value === undefined || value === null || isOfMetrics(name, options)) continue;
    throw new OffloopError(
      'OFFLOOP_ERR_ARGUMENT',
      `${name} must be given to the metricsMiddleware(options) that it is for, as it belongs to each middleware; got ${showValue(value)}`,
    );
  }
}

/** Half of `bypass` belongs to the metrics, and so do the routes that prometheus-api-metrics leaves out: other ones are refused by that. */
function isOfMetrics(name: string, { bypass, preset }: MiddlewareOptions): boolean {
  if (name === 'excludeRoutes') return preset === 'prometheus-api-metrics';
  return name === 'bypass' && typeof bypass === 'object' && read(bypass, 'onRequest') === undefined;
}

/** @throws {OffloopError} `OFFLOOP_ERR_ALREADY_STARTED` for what would have had to be there when the metrics were made. */
export function refuseOtherFunctions({ had, wanted }: { had: object; wanted: object }): void {
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined || Reflect.get(had, name) === value) continue;
    throw new OffloopError(
      'OFFLOOP_ERR_ALREADY_STARTED',
      `${name} must be given when the metrics are made, with the first metricsMiddleware(options) or getMetrics(options); got another afterwards`,
    );
  }
}
