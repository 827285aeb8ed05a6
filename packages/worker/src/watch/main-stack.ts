import type { Debugger, Session } from 'node:inspector';

/** A loop that can be asked answers in milliseconds; one that waits or is in native code does not, and is asked no longer. */
const ANSWER_MS = 500;

const HOUR_MS = 3_600_000;

/**
 * Asks the main thread where it is, by stopping it for a moment: through the inspector, within the process, with no port opened.
 *
 * @returns A line a frame, the innermost first; `undefined` when it does not answer, or where there is no inspector or a permission model refuses it.
 */
export async function readMainStack(): Promise<string | undefined> {
  let session: Session;
  try {
    const inspector = await import('node:inspector');
    session = new inspector.Session();
    session.connectToMainThread();
  } catch {
    return undefined;
  }
  let giveUp: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string | undefined>((settle) => {
      giveUp = setTimeout(() => settle(undefined), ANSWER_MS);
      const urls = new Map<string, string>();
      // Frames of modules come without their file's name.
      session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
        urls.set(scriptId, url);
      });
      session.once('Debugger.paused', ({ params }) => {
        // First of all, and whatever comes of the rest: nobody else would let the main thread go.
        session.post('Debugger.resume');
        settle(describe(params.callFrames, urls));
      });
      session.post('Debugger.enable');
      session.post('Debugger.pause');
    });
  } finally {
    clearTimeout(giveUp);
    // Lets the main thread go as well, where it stops only now.
    session.disconnect();
  }
}

function describe(
  frames: readonly Debugger.CallFrame[],
  urls: ReadonlyMap<string, string>,
): string {
  try {
    return frames
      .map(({ functionName, url, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
        const file = url || (urls.get(scriptId) ?? '');
        const place = `${file}:${lineNumber + 1}:${columnNumber + 1}`;
        return functionName === '' ? place : `${functionName} (${place})`;
      })
      .join('\n');
  } catch {
    return '';
  }
}

/** How many stacks may still be taken this hour. */
export class StackAllowance {
  private taken: number[] = [];

  /** @returns Whether another one may be taken, which then counts. */
  take(perHour: number, nowMs: number): boolean {
    this.taken = this.taken.filter((atMs) => nowMs - atMs < HOUR_MS);
    if (this.taken.length >= perHour) return false;
    this.taken.push(nowMs);
    return true;
  }
}
