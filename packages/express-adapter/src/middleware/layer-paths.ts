import type { LayerPath } from './layer-path.js';
import { mountPathOf, routePathOf } from './router-layer.js';
import type { Host } from './unknown-value.js';

/**
 * The paths of all layers that were met: made out when they are first asked for, and kept as long as the layer.
 *
 * So a tree of thousands of layers is walked in no time, and what was learnt of a layer outlives a new walk.
 */
export class LayerPaths {
  readonly #mounts = new WeakMap<Host, LayerPath>();
  readonly #routes = new WeakMap<Host, LayerPath>();

  mountOf(layer: Host): LayerPath {
    return kept(this.#mounts, layer, () => mountPathOf(layer));
  }

  routeOf(layer: Host, router: { readonly isStrict: boolean }): LayerPath {
    return kept(this.#routes, layer, () => routePathOf(layer, router));
  }
}

function kept(paths: WeakMap<Host, LayerPath>, layer: Host, make: () => LayerPath): LayerPath {
  const path = paths.get(layer) ?? new LatePath(make);
  paths.set(layer, path);
  return path;
}

class LatePath implements LayerPath {
  readonly #make: () => LayerPath;
  #path: LayerPath | undefined;

  constructor(make: () => LayerPath) {
    this.#make = make;
  }

  get onlyTemplate(): string | undefined {
    return this.#made().onlyTemplate;
  }

  get matchedLength(): number {
    return this.#made().matchedLength;
  }

  match(path: string): number {
    return this.#made().match(path);
  }

  templateAt(alternativeIndex: number): string {
    return this.#made().templateAt(alternativeIndex);
  }

  #made(): LayerPath {
    this.#path ??= this.#make();
    return this.#path;
  }
}
