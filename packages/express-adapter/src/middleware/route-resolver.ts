import type { RoutedRequest } from './http-exchange.js';
import { type LayerPath, NO_MATCH, UNKNOWN_PART } from './layer-path.js';
import { joinTemplates } from './raw-path.js';
import { pathsOf } from './request-path.js';
import type { Chain, Opening } from './route-tree.js';

/** Tells the template of a route, by the request where there is more than one. */
export interface RouteResolver {
  /** The template, where requests get no other as far as can be seen. */
  readonly onlyTemplate: string | undefined;

  /**
   * Whether a request with an empty `baseUrl` may be another one's: the error handler of an app has answered it, and the
   * mounts on its way are forgotten.
   */
  readonly expectsBaseUrl: boolean;

  resolve(request: RoutedRequest): string;
}

interface ChainResolverOptions {
  /** For requests that come by none of the chains; nothing where there are no others. */
  readonly otherwise: RouteResolver | undefined;
  /** Whether there are chains in sight that were not walked to their ends. */
  readonly isPartial: boolean;
}

/** A route that is seen in the tree, by one chain or several. */
export class ChainResolver implements RouteResolver {
  readonly onlyTemplate: string | undefined;
  readonly expectsBaseUrl: boolean;
  readonly #chains: readonly Chain[];
  readonly #otherwise: RouteResolver | undefined;

  constructor(chains: readonly Chain[], { otherwise, isPartial }: ChainResolverOptions) {
    this.#chains = chains;
    this.#otherwise = otherwise;
    const templates = new Set(chains.map(onlyTemplateOf));
    const [first] = templates;
    this.onlyTemplate = templates.size === 1 && !isPartial ? first : undefined;
    this.expectsBaseUrl = chains.some(({ mounts }) =>
      mounts.some((path) => path.onlyTemplate !== '' || otherwise !== undefined),
    );
  }

  resolve(request: RoutedRequest): string {
    for (const path of pathsOf(request)) {
      for (const chain of this.#chains) {
        const template = templateAlong(chain, path);
        if (template !== undefined) return template;
      }
    }
    return this.#otherwise?.resolve(request) ?? this.#commonTemplate();
  }

  /** For a path that no chain accepts, as it was rewritten on the way: what all chains agree on. */
  #commonTemplate(): string {
    const [first, ...others] = this.#chains;
    if (first === undefined) return UNKNOWN_PART;
    const mounts = others.length > 0 ? [UNKNOWN_PART] : first.mounts.map(partTemplate);
    return joinTemplates([...mounts, partTemplate(first.route)]);
  }
}

/** A route that is mounted somewhere behind a function, where no walk gets. */
export class HiddenRouteResolver implements RouteResolver {
  readonly onlyTemplate = undefined;
  readonly expectsBaseUrl = true;
  readonly #openings: readonly Opening[];
  readonly #route: LayerPath | undefined;

  constructor(openings: readonly Opening[], route: LayerPath | undefined) {
    this.#openings = openings;
    this.#route = route;
  }

  /**
   * The opening whose mounts take just what Express took off the path, or (after an error handler, when that is forgotten)
   * leave just what the route takes. Failing that, the safe part: as many mounts as match, the unknown, and the route.
   */
  resolve(request: RoutedRequest): string {
    const baseUrl = typeof request.baseUrl === 'string' ? request.baseUrl : '';
    let best: Placing | undefined;
    for (const path of pathsOf(request)) {
      for (const { mounts } of this.#openings) {
        const placing = this.#placingIn(mounts, { path, baseUrl });
        if (placing !== undefined && isBetter(placing, best)) best = placing;
      }
    }
    return joinTemplates(best?.templates ?? [UNKNOWN_PART, this.#anyRouteTemplate()]);
  }

  #placingIn(
    mounts: readonly LayerPath[],
    { path, baseUrl }: { path: string; baseUrl: string },
  ): Placing | undefined {
    const found = matchMounts(mounts, path);
    if (found === undefined) return undefined;
    const taken = withoutTrailingSlash(path.slice(0, path.length - found.rest.length));
    const route = this.#routeTemplate(found.rest);
    const isExact = baseUrl === '' ? route !== undefined : taken === baseUrl;
    const templates = isExact ? found.templates : [...found.templates, UNKNOWN_PART];
    return {
      isExact,
      length: taken.length,
      templates: [...templates, route ?? this.#anyRouteTemplate()],
    };
  }

  #routeTemplate(rest: string): string | undefined {
    const alternative = this.#route?.match(withSlash(rest)) ?? NO_MATCH;
    return alternative === NO_MATCH ? undefined : this.#route?.templateAt(alternative);
  }

  #anyRouteTemplate(): string {
    return this.#route === undefined ? '' : partTemplate(this.#route);
  }
}

/** A hidden route as it would stand in one opening. */
interface Placing {
  readonly isExact: boolean;
  readonly length: number;
  readonly templates: readonly string[];
}

function isBetter(placing: Placing, best: Placing | undefined): boolean {
  if (best === undefined || placing.isExact !== best.isExact) {
    return best === undefined || placing.isExact;
  }
  return placing.length > best.length;
}

function onlyTemplateOf({ mounts, route }: Chain): string | undefined {
  const templates = [...mounts, route].map((path) => path.onlyTemplate);
  const known = templates.filter((template) => template !== undefined);
  return known.length === templates.length ? joinTemplates(known) : undefined;
}

function templateAlong({ mounts, route }: Chain, path: string): string | undefined {
  const found = matchMounts(mounts, path);
  if (found === undefined) return undefined;
  const alternative = route.match(withSlash(found.rest));
  if (alternative === NO_MATCH) return undefined;
  return joinTemplates([...found.templates, route.templateAt(alternative)]);
}

/** Takes the mounts off a path one after another, as routers do; `rest` has no slash added in front. */
function matchMounts(
  mounts: readonly LayerPath[],
  path: string,
): { templates: readonly string[]; rest: string } | undefined {
  const templates: string[] = [];
  let rest = path;
  for (const mount of mounts) {
    const text = withSlash(rest);
    const alternative = mount.match(text);
    if (alternative === NO_MATCH) return undefined;
    const next = text[mount.matchedLength];
    // Express 4 lets a mount end at a dot as well.
    if (next !== undefined && next !== '/' && next !== '.' && mount.matchedLength > 0) {
      return undefined;
    }
    templates.push(mount.templateAt(alternative));
    if (mount.matchedLength > 0) rest = text.slice(mount.matchedLength);
  }
  return { templates, rest };
}

function withSlash(path: string): string {
  return path[0] === '/' ? path : `/${path}`;
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function partTemplate(path: LayerPath): string {
  return path.onlyTemplate ?? UNKNOWN_PART;
}
