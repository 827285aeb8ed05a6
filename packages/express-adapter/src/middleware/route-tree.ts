import type { LayerPath } from './layer-path.js';
import type { LayerPaths } from './layer-paths.js';
import { isForAllPaths, type VisibleRouter, visibleRouterOf } from './router-layer.js';
import { type Host, isHost, read } from './unknown-value.js';

/** One way in which requests reach a route: the mounts on the way, outermost first, and the route's own path. */
export interface Chain {
  readonly mounts: readonly LayerPath[];
  readonly route: LayerPath;
}

/** A place where routers may be mounted that cannot be seen: behind a function, or in a sub-app. */
export interface Opening {
  readonly mounts: readonly LayerPath[];
  /** Whether Express itself made the function, to hold a sub-app. */
  readonly isSubApp: boolean;
}

/** Layers walked at most. Routers mounted in each other over and over multiply, and labels are not worth a stalled loop. */
const LAYER_COUNT_MAX = 50_000;

/**
 * The layers of an app and of all routers that can be reached from it, at the moment of the walk.
 *
 * Not the layers behind a user's function, nor a sub-app's where it was mounted on an app: Express wraps those as well.
 */
export class RouteTree {
  readonly openings: readonly Opening[];
  /** Whether there are more chains than were noted: a router is mounted in itself, or the tree is too large. */
  readonly isPartial: boolean;
  /** Some layer or other; all of one tree are compiled alike. */
  readonly anyLayer: Host | undefined;
  /** Apps seen in the tree that are mounted on other apps as well. */
  readonly apps: readonly Host[];
  readonly #paths: LayerPaths;
  readonly #sites: ReadonlyMap<unknown, readonly Site[]>;
  readonly #marks: readonly Mark[];

  constructor(app: Host, paths: LayerPaths) {
    const walk = new Walk(paths);
    const router = visibleRouterOf(app);
    if (router !== undefined) walk.enter(router, []);
    this.openings = walk.openings;
    this.isPartial = walk.isPartial;
    this.anyLayer = walk.anyLayer;
    this.apps = [...walk.apps];
    this.#paths = paths;
    this.#sites = walk.sites;
    this.#marks = [...walk.marks.values()];
  }

  chainsTo(route: unknown): readonly Chain[] {
    const sites = this.#sites.get(route) ?? [];
    return sites.map(({ mounts, layer, router }) => ({
      mounts,
      route: this.#paths.routeOf(layer, router),
    }));
  }

  /** Whether this router, or app, is one of those that were walked. */
  has(router: VisibleRouter): boolean {
    return this.#marks.some(({ stack }) => stack === router.stack);
  }

  /** Whether no layer has been added, removed or exchanged since the walk. */
  isCurrent(): boolean {
    return this.#marks.every(
      ({ stack, length, last }) => stack.length === length && stack[length - 1] === last,
    );
  }
}

/** Where a route was seen. */
interface Site {
  readonly mounts: readonly LayerPath[];
  readonly layer: Host;
  readonly router: VisibleRouter;
}

/** What tells whether a stack has changed. */
interface Mark {
  readonly stack: readonly unknown[];
  readonly length: number;
  readonly last: unknown;
}

class Walk {
  readonly sites = new Map<unknown, Site[]>();
  readonly openings: Opening[] = [];
  readonly marks = new Map<readonly unknown[], Mark>();
  readonly apps = new Set<Host>();
  isPartial = false;
  anyLayer: Host | undefined;
  readonly #open = new Set<readonly unknown[]>();
  readonly #paths: LayerPaths;
  #layerCount = 0;

  constructor(paths: LayerPaths) {
    this.#paths = paths;
  }

  enter(router: VisibleRouter, mounts: readonly LayerPath[]): void {
    const { stack } = router;
    if (this.#open.has(stack)) {
      this.isPartial = true;
      return;
    }
    this.#open.add(stack);
    this.marks.set(stack, { stack, length: stack.length, last: stack.at(-1) });
    // A function without a path of its own, as most are, stands where its router stands: one opening for all of them.
    this.openings.push({ mounts, isSubApp: false });
    for (const layer of stack) {
      this.#layerCount += 1;
      if (this.#layerCount > LAYER_COUNT_MAX) this.isPartial = true;
      else if (isHost(layer)) this.#visit(layer, router, mounts);
    }
    this.#open.delete(stack);
  }

  #visit(layer: Host, router: VisibleRouter, mounts: readonly LayerPath[]): void {
    this.anyLayer ??= layer;
    const route = read(layer, 'route');
    if (route !== undefined && route !== null) {
      const known = this.sites.get(route);
      if (known === undefined) this.sites.set(route, [{ mounts, layer, router }]);
      else known.push({ mounts, layer, router });
      return;
    }
    const handler = read(layer, 'handle');
    const path = this.#paths.mountOf(layer);
    const inner = visibleRouterOf(handler);
    if (inner !== undefined) {
      if (isHost(handler) && isHost(read(handler, 'parent'))) this.apps.add(handler);
      this.enter(inner, [...mounts, path]);
      return;
    }
    const isSubApp = read(layer, 'name') === 'mounted_app';
    if (isSubApp || !(isForAllPaths(layer) || isErrorHandler(handler))) {
      this.openings.push({ mounts: [...mounts, path], isSubApp });
    }
  }
}

function isErrorHandler(handler: unknown): boolean {
  return typeof handler === 'function' && handler.length > 3;
}
