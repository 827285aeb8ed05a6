import { writeSync } from 'node:fs';
import { connect } from 'node:net';
import { createMetrics } from '@offloop/express';

// Ends in the way that it is told to, with the off-loop port on and a client that holds its connection.
const [, , engine, way] = process.argv as [string, string, 'pool' | 'inline', string];
const metrics = createMetrics({ engine, port: 0 });
const port = (await metrics.portAddress())?.port as number;
const client = connect(port, '127.0.0.1');
client.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
await new Promise((resolve) => client.once('data', resolve));
client.unref();
writeSync(1, 'done\n');
if (way === 'exit') process.exit(7);
if (way === 'throw') throw new Error('thrown');
if (way === 'reject') void Promise.reject(new Error('rejected'));
if (way === 'SIGTERM') {
  // Alive until it comes.
  setInterval(() => {}, 1_000);
  process.kill(process.pid, 'SIGTERM');
}
