import { setTimeout as delay } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits until the demo is to end: on Ctrl-C, after its time, when nobody reads its output any more, or when `failed`
 * resolves.
 *
 * @returns Whether that was meant to happen. A later Ctrl-C ends the process at once.
 */
export async function stopRequest(of: {
  readonly seconds: number | undefined;
  readonly failed: Promise<unknown>;
}): Promise<'asked' | 'failed'> {
  const timer = new AbortController();
  let onSignal = () => {};
  const asked = new Promise<void>((resolve) => {
    onSignal = resolve;
    for (const signal of SIGNALS) process.once(signal, onSignal);
    // `npm run demo | head`: without a listener each write to the broken pipe would end us with a stack trace. It stays.
    process.stdout.on('error', onSignal);
  });
  try {
    return await Promise.race([
      asked.then(() => 'asked' as const),
      of.failed.then(() => 'failed' as const),
      ...(of.seconds === undefined ? [] : [passed(of.seconds, timer.signal)]),
    ]);
  } finally {
    timer.abort();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

async function passed(seconds: number, signal: AbortSignal): Promise<'asked'> {
  await delay(seconds * 1_000, undefined, { signal }).catch(() => {});
  return 'asked';
}
