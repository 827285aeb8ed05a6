import type { ErrorRequestHandler, Request, RequestHandler, Router } from 'express';
import type { Random } from '../../support/random.js';
import type { Express } from './express-releases.js';

/** One way to a route: the paths to it as written in the source, and a concrete URL for them. */
export interface RouteExample {
  readonly template: string;
  /** Names of the mounts on the way and of the route, as its handler answers with them when the request came this way. */
  readonly trail: string;
  readonly url: string;
  /**
   * Whether an app on the way hangs on a router inside another sub-app. Nothing in it names that other one, which stays unknown until a
   * request is answered in it: the template may have unknown parts till then.
   */
  readonly isHiddenAtFirst: boolean;
}

const DEPTH_MAX = 4;

/** Texts that literals and values share, so that values look like parts of the paths, and what has to be encoded. */
const WORDS = ['api', 'v1', 'users', 'x', 'a-b', '42', 'users', ':id', 'é', 'a/b', '100%', '(.*)'];

/** A random tree of routers and sub-apps, which remembers all ways to its routes. */
export class RandomRoutes {
  /** Every template there is. */
  readonly templates: ReadonlySet<string>;
  readonly router: Router;
  readonly #random: Random;
  readonly #express: Express;
  readonly #tree: Node;
  #nameCount = 0;

  constructor(random: Random, express: Express) {
    this.#random = random;
    this.#express = express;
    this.#tree = this.#node(0, []);
    this.router = this.#tree.router;
    this.templates = new Set(waysOf(this.#tree).map((way) => templateOf(way)));
  }

  /** Every way to a route, and random values for its parameters. */
  examples(): RouteExample[] {
    return waysOf(this.#tree).map((way) => this.#example(way));
  }

  /** One of the ways, picked at random. */
  example(): RouteExample {
    const ways = waysOf(this.#tree);
    return this.#example(ways[this.#random.below(ways.length)] ?? []);
  }

  #example(way: readonly Step[]): RouteExample {
    return {
      template: templateOf(way),
      trail: way.map(({ name }) => name).join(' '),
      url: way.map((step) => this.#concrete(step.path)).join('') || '/',
      isHiddenAtFirst: isHiddenAtFirst(way),
    };
  }

  #node(depth: number, known: Node[]): Node {
    const isApp = depth > 0 && this.#chance(0.2);
    const router = isApp
      ? this.#express()
      : this.#express.Router({
          mergeParams: this.#chance(0.5),
          strict: this.#chance(0.2),
          caseSensitive: this.#chance(0.2),
        });
    const node: Node = { router, isApp, steps: [] };
    const stepCount = 1 + this.#random.below(4);
    for (let count = 0; count < stepCount; count += 1) {
      if (depth < DEPTH_MAX && this.#chance(depth === 0 ? 0.8 : 0.5))
        this.#mount(node, depth, known);
      else this.#route(node);
    }
    // Only whole ones are mounted again, so that none gets into itself.
    known.push(node);
    return node;
  }

  #mount(node: Node, depth: number, known: Node[]): void {
    // An app tells only where it was mounted last, so none is mounted twice, nor what holds one.
    const simple = known.filter((one) => !one.isApp && !one.steps.some(holdsApp));
    const again = this.#chance(0.3) ? simple[this.#random.below(simple.length)] : undefined;
    const child = again ?? this.#node(depth + 1, known);
    const { name, paths } = this.#step(node, child);
    const enter: RequestHandler = (req, _res, next) => {
      trailOf(req).push(name);
      next();
    };
    const leave: RequestHandler = (req, _res, next) => {
      trailOf(req).pop();
      next();
    };
    node.router.use(paths, enter, child.router, leave);
  }

  #route(node: Node): void {
    const { name, paths } = this.#step(node, undefined);
    const answer: RequestHandler = (req, res) => {
      res.setHeader('trail', [...trailOf(req), name].join(' '));
      if (req.headers['fail'] !== undefined) throw new Error('on purpose');
      res.end();
    };
    node.router.get(paths, answer);
  }

  /** One path as a rule, at times an array: each of its members is a way of its own. */
  #step(node: Node, child: Node | undefined): { name: string; paths: string[] } {
    this.#nameCount += 1;
    const name = `n${this.#nameCount}`;
    // Members of an array begin with names of their own, as a URL that two of them fit would be the first one's.
    // So do the mounts of apps, as Express does not tell which layer holds which app.
    const isDistinct = child?.isApp === true || this.#chance(0.2);
    const paths = isDistinct
      ? [`/${name}a${this.#path(`${name}a`)}`, `/${name}b${this.#path(`${name}b`)}`]
      : [this.#path(name)];
    for (const path of paths) node.steps.push({ name, path, child });
    return { name, paths };
  }

  #path(name: string): string {
    if (this.#chance(0.05)) return '/';
    const segments: string[] = [];
    const segmentCount = 1 + this.#random.below(3);
    for (let index = 0; index < segmentCount; index += 1) {
      const literal = encodeURIComponent(this.#word()).replace(/[^\w%]/g, '') || 'word';
      const parameter = `:${name}p${index}`;
      const kinds = [name, literal, parameter, `${parameter}-:${name}q${index}`];
      segments.push(kinds[this.#random.below(kinds.length)] ?? name);
    }
    return `/${segments.join('/')}`;
  }

  #concrete(path: string): string {
    return path
      .replace(/\/$/, '')
      .replace(/:\w+/g, () => encodeURIComponent(this.#word()).replaceAll('-', '%2D'));
  }

  #word(): string {
    return WORDS[this.#random.below(WORDS.length)] ?? 'x';
  }

  #chance(share: number): boolean {
    return this.#random.unit() < share;
  }
}

/** Answers errors as an app's last layer does, where nothing is left of the mounts. */
export const answerError: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(500).end();
};

interface Node {
  readonly router: Router;
  readonly isApp: boolean;
  readonly steps: Step[];
}

interface Step {
  readonly name: string;
  readonly path: string;
  /** What is mounted there; nothing for a route. */
  readonly child: Node | undefined;
}

function holdsApp({ child }: Step): boolean {
  return child !== undefined && (child.isApp || child.steps.some(holdsApp));
}

function waysOf(node: Node): Step[][] {
  return node.steps.flatMap((step) => {
    if (step.child === undefined) return [[step]];
    return waysOf(step.child).map((way) => [step, ...way]);
  });
}

function isHiddenAtFirst(way: readonly Step[]): boolean {
  const isApp = way.map(({ child }) => child?.isApp === true);
  return isApp.some((isOne, index) => {
    const isOnRouter = index > 0 && isApp[index - 1] === false;
    return isOne && isOnRouter && isApp.slice(0, index).includes(true);
  });
}

function templateOf(way: readonly Step[]): string {
  return way.map(({ path }) => path.replace(/\/$/, '')).join('') || '/';
}

const trails = new WeakMap<object, string[]>();

/** Kept by connection and request: Express gives the request another prototype in each sub-app, but it stays one object. */
function trailOf(req: Request): string[] {
  const trail = trails.get(req) ?? [];
  trails.set(req, trail);
  return trail;
}
