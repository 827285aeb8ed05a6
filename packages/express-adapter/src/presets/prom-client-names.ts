import * as core from '@offloop/core';
import { Pushgateway } from '@offloop/worker';

/** offloop's classes under prom-client's names, as the packages behind presets hand them on. */
export const promClient = {
  ...core,
  Pushgateway,
  /** Follows the global `register`. */
  get contentType() {
    return core.contentType;
  },
};
