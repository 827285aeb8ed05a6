import { renderWhole } from '../../contract/scraped-page.js';
import { threadTakesOver } from '../pool-threads.js';
import { done, startEngine } from './program-parts.js';

const { test, engine } = startEngine();
test.record(100);
await threadTakesOver(test.segment);
await engine.flush();
await renderWhole(engine, { families: test.families, includePipeline: true });
test.record(50);
done();
