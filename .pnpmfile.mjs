export const hooks = {
  /** The door to the internals is for the tests and benches of this workspace: no tarball has it. */
  beforePacking(manifest) {
    if (manifest.exports !== undefined) delete manifest.exports['./internal/*'];
    return manifest;
  },
};
