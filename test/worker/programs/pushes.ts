import { writeSync } from 'node:fs';
import { Agent } from 'node:http';
import { Counter, processPipeline, register } from '@offloop/core';
import { createEngine, Pushgateway } from '@offloop/worker';

// A job that has nothing else to do: nobody waits for the push, and its connection is kept alive.
const url = process.argv[2] as string;
processPipeline().configure({}, (parts) => createEngine({ ...parts, mode: 'pool' }));
new Counter({ name: 'pushed_total', help: 'h' }).inc();
const gateway = new Pushgateway(url, { agent: new Agent({ keepAlive: true }) }, register);
gateway.push({ jobName: 'pushes' }).then(() => writeSync(1, 'pushed\n'));
writeSync(1, 'pushing\n');
