import { threadTakesOver } from '../pool-threads.js';
import { done, startEngine } from './program-parts.js';

const { test, engine } = startEngine();
test.record(100);
await threadTakesOver(test.segment);
await engine.close();
test.expectAllAggregated();
done();
