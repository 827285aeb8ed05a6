import type { LayerPath } from './layer-path.js';
import type { LayerPaths } from './layer-paths.js';
import { isRawPath, templateOf } from './raw-path.js';
import { ChainResolver, HiddenRouteResolver, type RouteResolver } from './route-resolver.js';
import { type Chain, type Opening, RouteTree } from './route-tree.js';
import { compiledLike, visibleRouterOf } from './router-layer.js';
import { type Host, isHost, read } from './unknown-value.js';

/** Lookups between two complete checks whether the routes are still the same. */
const LOOKUPS_PER_CHECK = 1_024;

/** Apps mounted in each other, at most; only somebody who writes `app.parent = app` gets there. */
const APP_DEPTH_MAX = 64;

/** Places of one app that are told apart at most. Apps that hold each other's parts multiply. */
const PLACE_COUNT_MAX = 256;

/**
 * All that was learnt of the routes below one app: its own tree and those of its sub-apps.
 *
 * A sub-app comes to light when a request is answered inside it, as `req.app` names it then; from above nothing does.
 */
export class RouteForest {
  /** Whether there are apps mounted on apps, known or not. */
  hasSubApps = false;
  /** Grows with each app that comes to light. */
  version = 0;
  readonly #root: Host;
  readonly #paths: LayerPaths;
  readonly #rootStack: readonly unknown[] | undefined;
  readonly #rootLength: number;
  readonly #trees = new Map<Host, RouteTree>();
  readonly #met = new Set<unknown>();
  #lookupsLeft = LOOKUPS_PER_CHECK;
  #isCurrent = true;

  constructor(root: Host, paths: LayerPaths) {
    this.#root = root;
    this.#paths = paths;
    this.#rootStack = visibleRouterOf(root)?.stack;
    this.#rootLength = this.#rootStack?.length ?? 0;
    this.#add(root);
  }

  /**
   * Whether what was learnt still holds. Called for every request, so it looks at the root's own layers each time, where
   * late routers are mounted as a rule, and at all the others once in a while.
   */
  isCurrent(): boolean {
    if (this.#rootStack?.length !== this.#rootLength) this.#isCurrent = false;
    this.#lookupsLeft -= 1;
    if (this.#lookupsLeft <= 0) this.check();
    return this.#isCurrent;
  }

  /** Looks at all layers. */
  check(): boolean {
    this.#lookupsLeft = LOOKUPS_PER_CHECK;
    this.#isCurrent &&= visibleRouterOf(this.#root)?.stack === this.#rootStack;
    this.#isCurrent &&= [...this.#trees.values()].every((tree) => tree.isCurrent());
    return this.#isCurrent;
  }

  /**
   * Takes note of an app in which a request was answered, and of those around it.
   *
   * @returns Whether it was a new one, which may hold another way to any route.
   */
  meet(app: unknown): boolean {
    if (this.#met.has(app)) return false;
    this.#met.add(app);
    const before = this.#trees.size;
    let inner = app;
    for (let depth = 0; depth < APP_DEPTH_MAX && isHost(inner); depth += 1) {
      const router = visibleRouterOf(inner);
      const trees = [...this.#trees.values()];
      if (router !== undefined && !trees.some((tree) => tree.has(router))) this.#add(inner);
      inner = read(inner, 'parent');
    }
    if (this.#trees.size === before) return false;
    this.version += 1;
    return true;
  }

  resolverOf(route: Host): RouteResolver {
    const trees = [...this.#trees];
    const chains = trees.flatMap(([app, tree]) => {
      const inner = tree.chainsTo(route);
      return inner.length === 0 ? [] : chainsThrough(this.#placesOf(app), inner);
    });
    const isPartial = trees.some(([, tree]) => tree.isPartial);
    if (chains.length > 0 && !this.hasSubApps && !isPartial) {
      return new ChainResolver(chains, { otherwise: undefined, isPartial });
    }
    const hidden = new HiddenRouteResolver(this.#openings(), this.#pathOf(route));
    return chains.length > 0 ? new ChainResolver(chains, { otherwise: hidden, isPartial }) : hidden;
  }

  #add(app: Host): void {
    if (this.#trees.has(app)) return;
    const tree = new RouteTree(app, this.#paths);
    this.#trees.set(app, tree);
    this.hasSubApps ||= app !== this.#root || tree.openings.some(({ isSubApp }) => isSubApp);
    for (const other of tree.apps) this.#add(other);
  }

  /** Ways to an app, the likeliest first: Express tells where it was mounted last, but not by which layer. */
  #placesOf(app: Host, inner: readonly Host[] = []): readonly (readonly LayerPath[])[] {
    if (app === this.#root) return [[]];
    const parent = read(app, 'parent');
    const mountPath = read(app, 'mountpath');
    const template = isRawPath(mountPath) ? templateOf(mountPath) : undefined;
    const places: { mounts: readonly LayerPath[]; rank: number }[] = [];
    for (const [owner, tree] of this.#trees) {
      if (owner === app || inner.includes(owner)) continue;
      // One that nobody mounted on an app was called by a function of the user's, and that may stand anywhere.
      const openings = tree.openings.filter(({ isSubApp }) => isSubApp || !isHost(parent));
      if (openings.length === 0) continue;
      for (const outer of this.#placesOf(owner, [...inner, app])) {
        for (const { mounts } of openings) {
          const isWhereItSays = owner === parent && mounts.at(-1)?.onlyTemplate === template;
          places.push({ mounts: [...outer, ...mounts], rank: isWhereItSays ? 0 : 1 });
          if (places.length >= PLACE_COUNT_MAX) break;
        }
      }
    }
    places.sort(
      (left, right) => left.rank - right.rank || right.mounts.length - left.mounts.length,
    );
    return places.map(({ mounts }) => mounts);
  }

  /** All places in all known apps where something may be hidden. */
  #openings(): readonly Opening[] {
    return [...this.#trees].flatMap(([app, tree]) =>
      this.#placesOf(app).flatMap((outer) =>
        tree.openings.map(({ mounts, isSubApp }) => ({ mounts: [...outer, ...mounts], isSubApp })),
      ),
    );
  }

  #pathOf(route: Host): LayerPath | undefined {
    const anyLayer = this.#trees.get(this.#root)?.anyLayer;
    return anyLayer === undefined ? undefined : compiledLike(anyLayer, route);
  }
}

/** The app that holds all the others. */
export function rootOf(app: Host): Host {
  let root = app;
  for (let depth = 0; depth < APP_DEPTH_MAX; depth += 1) {
    const parent = read(root, 'parent');
    if (!isHost(parent)) break;
    root = parent;
  }
  return root;
}

function chainsThrough(
  places: readonly (readonly LayerPath[])[],
  inner: readonly Chain[],
): Chain[] {
  return places.flatMap((outer) =>
    inner.map(({ mounts, route }) => ({ mounts: [...outer, ...mounts], route })),
  );
}
