import type { Method } from '../replaced-method.js';
import type { WsSocket } from './socket-watch.js';

/** Who hears what becomes of upgrades. */
export interface UpgradeListener {
  isOn(): boolean;
  /** Before the application learns of the socket. */
  accepted(socket: WsSocket): void;
  refused(): void;
}

/** The network socket of an upgrade. */
interface UpgradeSocket {
  readonly writableEnded: boolean;
  once(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}

/**
 * The hooked form of a server's `handleUpgrade(request, socket, head, done)`: `done` is called for what was accepted; what was refused has been
 * answered, and its socket ended, when that closes. A client that left before is neither.
 */
export function refusalWatch(original: Method, listener: UpgradeListener): Method {
  return function (this: unknown, ...args: readonly unknown[]): unknown {
    const [, socket, , done] = args;
    if (!listener.isOn() || !isSocket(socket) || typeof done !== 'function')
      return Reflect.apply(original, this, args);
    let isAccepted = false;
    function accepted(this: unknown, ...given: readonly unknown[]): unknown {
      isAccepted = true;
      (socket as UpgradeSocket).removeListener('close', closed);
      if (listener.isOn()) listener.accepted(given[0] as WsSocket);
      return Reflect.apply(done as Method, this, given);
    }
    const closed = (): void => {
      if (!isAccepted && socket.writableEnded && listener.isOn()) listener.refused();
    };
    socket.once('close', closed);
    return Reflect.apply(original, this, [...args.slice(0, 3), accepted, ...args.slice(4)]);
  };
}

function isSocket(value: unknown): value is UpgradeSocket {
  return (
    typeof value === 'object' &&
    value !== null &&
    'once' in value &&
    typeof value.once === 'function'
  );
}
