import { done, startEngine } from './program-parts.js';

startEngine();
done();
