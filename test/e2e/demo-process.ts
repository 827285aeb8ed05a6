import { fileURLToPath } from 'node:url';
import type { RunningProcess, StartProcess } from '../support/processes.js';

/** The built demo, as scripts/launch.mjs starts it. This file runs as test/.build/e2e/demo-process.js. */
const DEMO = fileURLToPath(new URL('../../../demo/.build/main.js', import.meta.url));

/** Slow machines take seconds to load Express and to start a thread and another process. */
export const DEMO_START_MS_MAX = 20_000;

export interface Demo {
  readonly process: RunningProcess;
  readonly port: number;
}

/** Starts the demo without waiting for anything. */
export function launchDemo(startProcess: StartProcess, args: readonly string[]): RunningProcess {
  return startProcess(process.execPath, ['--enable-source-maps', DEMO, ...args]);
}

/** Starts the demo; resolves when its app listens. */
export async function startDemo(
  startProcess: StartProcess,
  args: readonly string[],
): Promise<Demo> {
  const running = launchDemo(startProcess, args);
  const [, port] = await running.waitForOutput(/http:\/\/127\.0\.0\.1:(\d+)\//, DEMO_START_MS_MAX);
  return { process: running, port: Number(port) };
}

/** Id of the demo's traffic process, once it is printed. */
export async function trafficPid(demo: RunningProcess): Promise<number> {
  const [, pid] = await demo.waitForOutput(/traffic +process (\d+)/, DEMO_START_MS_MAX);
  return Number(pid);
}

/** Whether a process with this id is there. Signal 0 only asks. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
