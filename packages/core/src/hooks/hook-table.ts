import { anchored } from '../anchored.js';
import type { Pipeline } from '../engine/pipeline.js';
import { WeakRefSet } from '../engine/weak-ref-set.js';
import { OffloopTypeError, showValue } from '../errors.js';
import type { Registry } from '../instruments/registry.js';
import { HookFamilies, type HookFamily, refuseForeignHolders } from './hook-families.js';

/** A hook as the process's table holds it. */
export interface TabledHook {
  readonly pipeline: Pipeline;
  unhook(): void;
}

/** What is hooked in this process, and the metrics of it. */
export interface HookTable {
  /** Object → its hook. Neither keeps the other alive. */
  readonly hooks: WeakMap<object, TabledHook>;
  /** For taking all of them off. */
  readonly all: WeakRefSet<TabledHook>;
  readonly families: WeakMap<Pipeline, Map<string, HookFamilies<string>>>;
}

/** The table of this process, for all copies of this package: an object that two of them hook would count twice. */
export function hookTable(): HookTable {
  return anchored('@offloop/core.hooks.1', () => ({
    hooks: new WeakMap(),
    all: new WeakRefSet(),
    families: new WeakMap(),
  }));
}

/** Takes every hook off whose numbers go to this pipeline. */
export function unhookPipeline(pipeline: Pipeline): void {
  for (const hook of [...hookTable().all]) {
    if (hook.pipeline === pipeline) hook.unhook();
  }
}

/** Changes the length of the windows of a pipeline's hooks, seconds. */
export function setHookWindows(pipeline: Pipeline, seconds: number): void {
  for (const families of hookTable().families.get(pipeline)?.values() ?? []) {
    families.setWindow(seconds);
  }
}

/**
 * The families of one kind of hook in a registry's pipeline, in the registry: made at the first hook.
 *
 * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT` for a registry that is not offloop's.
 * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
 */
export function familiesOf<Key extends string>(
  kind: string,
  of: { readonly register: Registry; readonly definitions: Readonly<Record<Key, HookFamily>> },
): HookFamilies<Key> {
  const { register, definitions } = of;
  if (!(register?.pipeline instanceof Object)) {
    throw new OffloopTypeError(
      'OFFLOOP_ERR_ARGUMENT',
      `options.register must be a registry of offloop, got ${showValue(register)}`,
    );
  }
  const { families } = hookTable();
  const ofPipeline = families.get(register.pipeline) ?? new Map<string, HookFamilies<string>>();
  const known = ofPipeline.get(kind);
  refuseForeignHolders(register, definitions, known);
  const found = known ?? new HookFamilies<string>(register.pipeline, definitions);
  ofPipeline.set(kind, found);
  families.set(register.pipeline, ofPipeline);
  found.registerIn(register);
  return found as HookFamilies<Key>;
}
