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

/** Apps looked into at most. One that makes them anew for each request has its routes count as hidden from there on. */
const APP_COUNT_MAX = 64;

/** Ways to an app or a route that are told apart at most. Apps that hold each other's parts multiply. */
const WAY_COUNT_MAX = 256;

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
  #met = new WeakSet<Host>();
  #openings: readonly Opening[] | undefined;
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
    if (!isHost(app) || this.#met.has(app)) return false;
    this.#met.add(app);
    const before = this.#trees.size;
    for (const one of withParents(app)) {
      const router = visibleRouterOf(one);
      const trees = [...this.#trees.values()];
      if (router !== undefined && !trees.some((tree) => tree.has(router))) this.#add(one);
    }
    if (this.#trees.size === before) return false;
    this.version += 1;
    return true;
  }

  resolverOf(route: Host): RouteResolver {
    const trees = [...this.#trees];
    const chains = trees
      .flatMap(([app, tree]) => {
        const inner = tree.chainsTo(route);
        return inner.length === 0 ? [] : chainsThrough(this.#placesOf(app), inner);
      })
      .slice(0, WAY_COUNT_MAX);
    const isPartial = trees.some(([, tree]) => tree.isPartial);
    if (chains.length > 0 && !this.hasSubApps && !isPartial) {
      return new ChainResolver(chains, { otherwise: undefined, isPartial });
    }
    const hidden = new HiddenRouteResolver(this.#allOpenings(), this.#pathOf(route));
    return chains.length > 0 ? new ChainResolver(chains, { otherwise: hidden, isPartial }) : hidden;
  }

  #add(app: Host): void {
    if (this.#trees.has(app) || this.#trees.size >= APP_COUNT_MAX) return;
    const tree = new RouteTree(app, this.#paths);
    this.#trees.set(app, tree);
    this.#openings = undefined;
    this.hasSubApps ||= app !== this.#root || tree.openings.some(({ isSubApp }) => isSubApp);
    for (const other of tree.apps) this.#add(other);
  }

  /**
   * Where an app may be mounted, the likeliest place first. Express tells in which app it was mounted last, and on which
   * path, but not by which layer; nor that it was mounted on other apps before.
   */
  #placesOf(app: Host, depthMax = APP_DEPTH_MAX): readonly Place[] {
    if (app === this.#root) return [[]];
    const parent = read(app, 'parent');
    // One that nobody mounted on an app is called by a function of the user's, and that may stand anywhere.
    const owner = isHost(parent) ? this.#holderOf(parent) : this.#root;
    const tree = owner === undefined ? undefined : this.#trees.get(owner);
    if (owner === undefined || tree === undefined || depthMax === 0) return [];
    const openings = tree.openings.filter(({ isSubApp }) => isSubApp || !isHost(parent));
    const mountPath = read(app, 'mountpath');
    const template = isRawPath(mountPath) ? templateOf(mountPath) : undefined;
    const isAt = ({ mounts }: Opening): boolean =>
      isHost(parent) && mounts.at(-1)?.onlyTemplate === template;
    openings.sort(
      (left, right) =>
        Number(isAt(right)) - Number(isAt(left)) || right.mounts.length - left.mounts.length,
    );
    return this.#placesOf(owner, depthMax - 1)
      .flatMap((place) => openings.map(({ mounts }) => [...place, ...mounts]))
      .slice(0, WAY_COUNT_MAX);
  }

  /** The app whose tree an app is seen in: its own, or that of another where it is mounted on a router. */
  #holderOf(app: Host): Host | undefined {
    if (this.#trees.has(app)) return app;
    const router = visibleRouterOf(app);
    if (router === undefined) return undefined;
    for (const [holder, tree] of this.#trees) {
      if (tree.has(router)) return holder;
    }
    return undefined;
  }

  /** All places in all known apps where something may be hidden. */
  #allOpenings(): readonly Opening[] {
    this.#openings ??= [...this.#trees].flatMap(([app, tree]) =>
      this.#placesOf(app).flatMap((place) =>
        tree.openings.map(({ mounts, isSubApp }) => ({ mounts: [...place, ...mounts], isSubApp })),
      ),
    );
    return this.#openings;
  }

  #pathOf(route: Host): LayerPath | undefined {
    const anyLayer = this.#trees.get(this.#root)?.anyLayer;
    return anyLayer === undefined ? undefined : compiledLike(anyLayer, route);
  }
}

/** The app that holds all the others. */
export function rootOf(app: Host): Host {
  return withParents(app).at(-1) ?? app;
}

/** The mounts on the way to an app. */
type Place = readonly LayerPath[];

function withParents(app: Host): Host[] {
  const apps = [app];
  for (let parent = read(app, 'parent'); isHost(parent); parent = read(parent, 'parent')) {
    if (apps.length >= APP_DEPTH_MAX) break;
    apps.push(parent);
  }
  return apps;
}

function chainsThrough(places: readonly Place[], inner: readonly Chain[]): Chain[] {
  return places.flatMap((outer) =>
    inner.map(({ mounts, route }) => ({ mounts: [...outer, ...mounts], route })),
  );
}
