import { until } from '../pool-threads.js';
import { done, startEngine } from './program-parts.js';

// Each of five threads fails at its start; the process may end in any of the pauses between them.
const { engine } = startEngine('throws-at-load');
await until(() => engine.state === 'degraded', 'the first thread is lost');
done();
