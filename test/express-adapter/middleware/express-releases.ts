import { createRequire } from 'node:module';
import type { Application } from 'express';
import express4 from 'express4';
import express5 from 'express5';
import express50 from 'express50';

export type Express = typeof express5;

/** A release of Express, as its routers differ in what they remember of a path. */
export interface ExpressRelease {
  readonly name: string;
  readonly major: 4 | 5;
  readonly express: Express;
  /** What a layer of its router keeps of the path it was mounted on. */
  readonly keeps: 'expression' | 'matcher' | 'path';
  /** To be called with each app once it is built. */
  readonly prepare: (app: Application) => void;
}

const require = createRequire(import.meta.url);

/**
 * The releases under test: the newest of both majors, one of the first of Express 5, and the newest once more with layers
 * that keep what those of router 2.0 to 2.2 kept, as Express 5.0 gets a newer router where nothing pins the old one.
 */
export const expressReleases: readonly ExpressRelease[] = [
  release('express4', express4),
  release('express50', express50),
  release('express5', express5),
  {
    ...release('express5', express5),
    name: `${release('express5', express5).name} with the layers of router 2.0`,
    keeps: 'matcher',
    prepare: forgetPaths,
  },
];

function release(packageName: string, express: Express): ExpressRelease {
  const { version }: { version: string } = require(`${packageName}/package.json`);
  return {
    name: `Express ${version}`,
    major: version.startsWith('4.') ? 4 : 5,
    express,
    keeps: keptBy(express),
    prepare: () => {},
  };
}

function keptBy(express: Express): ExpressRelease['keeps'] {
  const [layer] = layersOf(express.Router().use('/path', () => {}));
  if (layer !== undefined && 'rawPath' in layer) return 'path';
  return layer !== undefined && 'regexp' in layer ? 'expression' : 'matcher';
}

function forgetPaths(app: Application): void {
  const visited = new Set<object>();
  const visit = (router: object): void => {
    if (visited.has(router)) return;
    visited.add(router);
    for (const layer of layersOf(router)) {
      Reflect.deleteProperty(layer, 'rawPath');
      if ('handle' in layer && typeof layer.handle === 'function') visit(layer.handle);
    }
  };
  visit(app);
}

/** Layers of a router, or of an app of Express 5. */
function layersOf(host: object): object[] {
  const router: unknown = 'stack' in host ? host : 'router' in host ? host.router : undefined;
  if (typeof router !== 'function' || !('stack' in router)) return [];
  return Array.isArray(router.stack) ? router.stack : [];
}
