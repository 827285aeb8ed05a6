import type { Context } from 'mocha';
import { freePort } from './free-port.js';
import type { RunningProcess, StartProcess } from './processes.js';
import { needTool } from './tools.js';

/** A Redis of a test's own: on a free port of 127.0.0.1, in memory only. */
export interface RedisServer {
  readonly port: number;
  readonly process: RunningProcess;
}

/** Starts one, and waits until it answers. Whoever gave `start` ends it. */
export async function startRedis(
  context: Context,
  start: StartProcess,
  folder: string,
): Promise<RedisServer> {
  const program = needTool(context, 'redis-server');
  const port = await freePort();
  const running = start(program, [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
  ]);
  await running.waitForOutput(/Ready to accept connections/);
  return { port, process: running };
}
