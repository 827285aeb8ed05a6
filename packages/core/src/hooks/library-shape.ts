// Not `{ createRequire }`: bundles of ES modules often begin with an import of that name.
import module from 'node:module';
import { join } from 'node:path';
import { OffloopError, OffloopTypeError } from '../errors.js';

/**
 * Refuses an object that has nothing of the library which it is said to be of.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_LIBRARY_ABSENT` when the application has no such package.
 * @throws {TypeError} `OFFLOOP_ERR_ARGUMENT` when it has: the object is another one.
 */
export function refuseShape(of: {
  readonly path: string;
  readonly library: string;
  readonly packageName: string;
}): never {
  const { path, library, packageName } = of;
  if (!isInstalled(packageName)) {
    throw new OffloopError(
      'OFFLOOP_ERR_LIBRARY_ABSENT',
      `${path}: ${library} must be installed by the application, and the package ${packageName} is not found`,
    );
  }
  throw new OffloopTypeError(
    'OFFLOOP_ERR_ARGUMENT',
    `${path}: the object must be one of ${library}, and has another shape`,
  );
}

/** From where the application runs, and from here. Only asked where something is wrong anyway. */
function isInstalled(packageName: string): boolean {
  return [join(process.cwd(), 'package.json'), process.argv[1] ?? ''].some((from) => {
    try {
      const { resolve } = module.createRequire(from);
      return resolve.paths(packageName) !== null && resolve(packageName) !== '';
    } catch (error) {
      // A package without an entry for `require` is there all the same.
      return (error as { readonly code?: unknown }).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    }
  });
}
