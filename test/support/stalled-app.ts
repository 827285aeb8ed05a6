import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunningProcess, StartProcess } from './processes.js';
import type { StalledAppLine } from './programs/stalled-app.js';
import type { StallKind } from './programs/stalls.js';

const BOOT_MS = 2_000;

/** An app in a process of its own, whose loop can be made to stand still. */
export interface StalledApp {
  readonly process: RunningProcess;
  readonly port: number;
  /** Makes it stand still. Resolves with how it was, when it turns again. */
  stall(kind: StallKind, ms: number): Promise<Extract<StalledAppLine, { line: 'stalled' }>>;
  /** What another thread of the process has seen so far. */
  seen(): Extract<StalledAppLine, { line: 'seen' }>[];
}

/**
 * Starts the app.
 *
 * @param options Of offloop.
 * @param by      A program and its arguments that is to start it.
 */
export async function startStalledApp(
  start: StartProcess,
  options: object = {},
  by: readonly string[] = [],
): Promise<StalledApp> {
  const path = fileURLToPath(new URL('./programs/stalled-app.js', import.meta.url));
  const [program = '', ...args] = [...by, process.execPath, '--conditions=offloop-internal', path];
  const running = start(program, args, {
    env: { NODE_OPTIONS: undefined, OFFLOOP_TEST_OPTIONS: JSON.stringify(options) },
  });
  const lines = (): StalledAppLine[] =>
    running.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StalledAppLine);
  await running.waitForOutput(/"listening"/);
  // Its own thread boots, and reads how the main one is while that is well.
  await delay(BOOT_MS);
  const { port } = lines().find(({ line }) => line === 'listening') as { readonly port: number };
  const ends = () => lines().filter((line) => line.line === 'stalled');
  return {
    process: running,
    port,
    seen: () => lines().filter((line) => line.line === 'seen'),
    async stall(kind, ms) {
      const before = ends().length;
      const query = new URLSearchParams({ kind, ms: String(ms) });
      await (await fetch(`http://127.0.0.1:${port}/stall?${query}`)).arrayBuffer();
      await running.waitForOutput(
        new RegExp(`(?:"line":"stalled"[^]*?){${before + 1}}"atOnce"[^\\n]*\\n`),
        ms * 4 + 20_000,
      );
      return ends().at(-1) as Extract<StalledAppLine, { line: 'stalled' }>;
    },
  };
}
