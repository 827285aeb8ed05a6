import type { RoutedRequest } from './http-exchange.js';
import { LayerPaths } from './layer-paths.js';
import { RouteForest, rootOf } from './route-forest.js';
import type { RouteResolver } from './route-resolver.js';
import { type Host, isHost, read } from './unknown-value.js';

/** The label of requests that no route answered. */
export const UNMATCHED = '__unmatched__';

/** Templates kept at most. Routes made anew for each request could grow them without end; the rest count as unmatched. */
const TEMPLATE_COUNT_MAX = 10_000;

/**
 * The template of the route that answered a request, such as `/users/:id/orders/:order`, on Express 4 and 5.
 *
 * `req.baseUrl + req.route.path` is not it: `baseUrl` is concrete, one value for each user, and empty after an error handler.
 * So the route is looked up among the layers of the app, once, and what was found stays on the route. Only where requests
 * reach one route in several ways (a router mounted twice, an array of paths) does each request's own path decide.
 *
 * The label comes from the application's source and never from the request, so there are no more labels than routes:
 * plain middleware, requests without a route and URLs that cannot be decoded are all `__unmatched__`. A route that hands
 * on by `next()` stays the route of the request until another is entered, as nothing tells that apart from an error handler.
 *
 * @typeParam Entry What the caller keeps for each template.
 */
export class RouteTemplates<Entry> {
  readonly unmatched: Entry;
  readonly #slot = Symbol('offloop.route');
  readonly #makeEntry: (template: string) => Entry;
  readonly #entries = new Map<string, Entry>();
  readonly #paths = new LayerPaths();
  readonly #forests = new WeakMap<Host, RouteForest>();

  constructor(makeEntry: (template: string) => Entry) {
    this.#makeEntry = makeEntry;
    this.unmatched = this.#entryOf(UNMATCHED);
  }

  /**
   * Entry of the template of the request's route. Never throws.
   *
   * @param method The request's, which its caller has at hand.
   * @param app    The app in which the request was first seen. `req.app` changes on its way through sub-apps.
   */
  find(request: RoutedRequest, method: string | undefined, app: unknown): Entry {
    const { route } = request as { readonly route?: SlottedRoute<Entry> | null | undefined };
    if (route === undefined || route === null) return this.unmatched;
    if (method === 'HEAD' && !answersHead(route)) return this.unmatched;
    const known = route[this.#slot];
    if (known?.holdsFor(app)) {
      const { only } = known;
      if (only !== undefined && known.isPlain(request)) return only;
    }
    return this.#decide(request, route, app);
  }

  /** Entry of a template that somebody names. Never throws. */
  named(template: string): Entry {
    return this.#entryOf(template);
  }

  /** For the first request to a route, and for each one whose own path decides. */
  #decide(request: RoutedRequest, route: SlottedRoute<Entry>, app: unknown): Entry {
    try {
      if (!isHost(route)) return this.unmatched;
      const known = this.#knowledgeOf(request, route, app);
      if (known === undefined) return this.unmatched;
      const entry = this.#entryOf(known.resolver.resolve(request));
      if (entry === known.only) known.answeredIn = request.app;
      return entry;
    } catch {
      return this.unmatched;
    }
  }

  #knowledgeOf(
    request: RoutedRequest,
    route: SlottedRoute<Entry>,
    app: unknown,
  ): KnownRoute<Entry> | undefined {
    const before = route[this.#slot];
    if (before?.holdsFor(app) && !before.forest.meet(request.app)) {
      return before;
    }
    const first = isHost(app) ? app : request.app;
    if (!isHost(first)) return undefined;
    const forest = this.#forestOf(rootOf(first));
    forest.meet(request.app);
    const resolver = forest.resolverOf(route);
    const { onlyTemplate } = resolver;
    const only = onlyTemplate === undefined ? undefined : this.#entryOf(onlyTemplate);
    const known = new KnownRoute(forest, { app, resolver, only });
    // Without effect on a route that somebody has frozen, which is then looked up each time.
    Reflect.defineProperty(route, this.#slot, { value: known, configurable: true, writable: true });
    return known;
  }

  #forestOf(root: Host): RouteForest {
    const known = this.#forests.get(root);
    if (known?.check() === true) return known;
    const forest = new RouteForest(root, this.#paths);
    this.#forests.set(root, forest);
    return forest;
  }

  #entryOf(template: string): Entry {
    const known = this.#entries.get(template);
    if (known !== undefined) return known;
    if (this.#entries.size >= TEMPLATE_COUNT_MAX) return this.unmatched;
    const entry = this.#makeEntry(template);
    this.#entries.set(template, entry);
    return entry;
  }
}

/** A route of Express, or whatever somebody has put in its place, with what we keep on it under a symbol of our own. */
interface SlottedRoute<Entry> {
  readonly [slot: symbol]: KnownRoute<Entry> | undefined;
}

/** What was found out about a route, kept on the route itself. */
class KnownRoute<Entry> {
  readonly forest: RouteForest;
  readonly resolver: RouteResolver;
  /** The entry of nearly all requests, where there is such a one. */
  readonly only: Entry | undefined;
  /** The app in which Express says that such a request was answered. */
  answeredIn: unknown = undefined;
  readonly #app: unknown;
  readonly #version: number;
  readonly #expectsBaseUrl: boolean;

  constructor(forest: RouteForest, found: KnownRouteOptions<Entry>) {
    this.forest = forest;
    this.resolver = found.resolver;
    this.only = found.only;
    this.#app = found.app;
    this.#version = forest.version;
    this.#expectsBaseUrl = found.resolver.expectsBaseUrl;
  }

  /** Not so once routes have been added or apps come to light, nor for another app that has the same router. */
  holdsFor(app: unknown): boolean {
    return this.#app === app && this.#version === this.forest.version && this.forest.isCurrent();
  }

  /** Whether the request shows nothing that would make it worth a closer look. */
  isPlain(request: RoutedRequest): boolean {
    return request.app === this.answeredIn && !(this.#expectsBaseUrl && request.baseUrl === '');
  }
}

interface KnownRouteOptions<Entry> {
  readonly app: unknown;
  readonly resolver: RouteResolver;
  readonly only: Entry | undefined;
}

/** Routers lead a HEAD request into any route whose path fits, and it comes out again where there is no handler for it. */
function answersHead(route: Host): boolean {
  const methods = read(route, 'methods');
  if (!isHost(methods)) return true;
  return ['head', 'get', '_all'].some((method) => read(methods, method) === true);
}
