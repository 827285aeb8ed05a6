/** What ends the process. */
export type ProcessEnd =
  | { readonly by: 'exit'; readonly exitCode: number }
  | { readonly by: 'signal'; readonly signal: NodeJS.Signals };

/** Signals that end a process which does not listen for them, and that can be listened for. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const satisfies readonly NodeJS.Signals[];

/** On listeners that only look on: of this copy of the package and of any other. */
const LOOKS_ON = Symbol.for('@offloop/core.looks-on.1');

/**
 * Calls back once, in the last moment before the process ends: by its natural end, `process.exit()`, an error that nobody caught, or a signal. Nothing
 * asynchronous that is begun then gets anywhere. The end stays what it is, its exit code or signal too.
 *
 * Listening for a signal keeps it from ending the process by itself, so where nobody else listens the signal is sent again afterwards, with nobody
 * listening. Where somebody does, the end is theirs to bring about; so it is where signal-exit does, once this has spoken.
 *
 * @param speak Must not throw.
 * @returns What takes it back.
 */
export function onProcessEnd(speak: (end: ProcessEnd) => void): () => void {
  let isOver = false;
  const speakOnce = (end: ProcessEnd): void => {
    if (isOver) return;
    isOver = true;
    speak(end);
  };
  const onExit = (exitCode: number): void => speakOnce({ by: 'exit', exitCode });
  const onSignal = Object.assign(
    (signal: NodeJS.Signals): void => {
      const others = process.listeners(signal).filter((listener) => !looksOn(listener));
      if (others.length > signalExitListeners()) return;
      speakOnce({ by: 'signal', signal });
      process.off(signal, onSignal);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    },
    { [LOOKS_ON]: true },
  );
  process.on('exit', onExit);
  // Before the others': a listener that was added by `once` is gone while it runs.
  for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  return () => {
    isOver = true;
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function looksOn(listener: object): boolean {
  return LOOKS_ON in listener;
}

/**
 * Listeners of the npm package signal-exit, of version 4 and of those before it, as far as any are there. They look on as well, and send the signal again where
 * all listeners are theirs: each would leave the end to the other.
 */
function signalExitListeners(): number {
  const emitters: readonly unknown[] = [
    Reflect.get(globalThis, Symbol.for('signal-exit emitter')),
    Reflect.get(process, '__signal_exit_emitter__'),
  ];
  return emitters
    .map((emitter): unknown => Reflect.get(Object(emitter), 'count'))
    .reduce<number>((sum, count) => (typeof count === 'number' ? sum + count : sum), 0);
}
