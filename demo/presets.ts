import type { MiddlewareOptions } from '@offloop/express';

/** For each package whose metric names the demo can have, what its users would have given it. */
const OPTIONS = {
  'express-prom-bundle': {
    preset: 'express-prom-bundle',
    includeMethod: true,
    includePath: true,
  },
  promster: { preset: 'promster' },
  'prometheus-api-metrics': { preset: 'prometheus-api-metrics' },
} as const satisfies Record<string, MiddlewareOptions>;

export type Preset = keyof typeof OPTIONS;

export const PRESETS = Object.keys(OPTIONS) as readonly Preset[];

export function isPreset(name: string): name is Preset {
  return Object.hasOwn(OPTIONS, name);
}

export function presetOptions(preset: Preset | undefined): MiddlewareOptions {
  return preset === undefined ? {} : OPTIONS[preset];
}
