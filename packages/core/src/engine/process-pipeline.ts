import { anchored } from '../anchored.js';
import { Pipeline } from './pipeline.js';

/** The pipeline of this process: the same object for all copies of this package. */
export function processPipeline(): Pipeline {
  return anchored('@offloop/core.pipeline.1', () => new Pipeline());
}
