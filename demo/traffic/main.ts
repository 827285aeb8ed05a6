// The traffic process: `node traffic/main.js <origin> <rate>`, started by TrafficProcess with a channel to it.
import { STOP, type TrafficReport } from './messages.js';
import { Sender } from './sender.js';
import { Spectators } from './spectators.js';

const [origin = '', rate = ''] = process.argv.slice(2);
const sender = new Sender(new URL(origin), Number(rate));
const spectators = new Spectators(new URL(origin));

// A terminal sends Ctrl-C to every process in it. This one ends when the app says so, or when the app is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

process.on('message', async (message) => {
  if (message !== STOP) return;
  const [requests, messages] = await Promise.all([sender.stop(), spectators.leave()]);
  const report: TrafficReport = { ...requests, messages };
  process.send?.(report, () => process.exit());
});
process.once('disconnect', () => process.exit());
// The app may have gone while Node was loading this file, when nobody could listen yet.
if (!process.connected) process.exit();
