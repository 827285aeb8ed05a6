import { renderWhole } from '../../contract/scraped-page.js';
import { threadTakesOver } from '../pool-threads.js';
import { Misdeed } from '../threads/misdeeds.js';
import { done, startEngine } from './program-parts.js';

const { test, engine } = startEngine('misbehaving');
await threadTakesOver(test.segment);
// Ends when the watch has found the thread out: until then the call is under way, and holds the process as any call does.
await renderWhole(engine, { families: [Misdeed.loop], includePipeline: true });
done();
