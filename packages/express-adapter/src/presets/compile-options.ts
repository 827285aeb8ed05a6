import {
  type CompiledOptions,
  compileOwnOptions,
  type OwnMiddlewareOptions,
  refuse,
} from '../middleware/middleware-options.js';
import { compileExpressPromBundle, type ExpressPromBundleOptions } from './express-prom-bundle.js';
import {
  compilePrometheusApiMetrics,
  type PrometheusApiMetricsOptions,
} from './prometheus-api-metrics.js';
import { compilePromster, type PromsterOptions } from './promster.js';

/** Options of the middleware: offloop's own, or with a preset those of the package that it is named after. */
export type MiddlewareOptions =
  | OwnMiddlewareOptions
  | ExpressPromBundleOptions
  | PromsterOptions
  | PrometheusApiMetricsOptions;

/**
 * Takes options apart, by who acts on them.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_TYPE`, `OFFLOOP_ERR_OPTION_RANGE`
 */
export function compileOptions(options: MiddlewareOptions): CompiledOptions {
  // What is no object is refused along with the data.
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return { ...compileOwnOptions({}), data: options };
  switch (options.preset) {
    case undefined:
      return compileOwnOptions(options);
    case 'express-prom-bundle':
      return compileExpressPromBundle(options);
    case 'promster':
      return compilePromster(options);
    case 'prometheus-api-metrics':
      return compilePrometheusApiMetrics(options);
    default: {
      const { preset }: { readonly preset: unknown } = options;
      return refuse(
        'preset',
        'one of "express-prom-bundle", "promster", "prometheus-api-metrics"',
        preset,
      );
    }
  }
}
