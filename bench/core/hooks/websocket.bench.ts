// What instrumenting adds to a message of ws, whose network is a stream that goes nowhere.
import { Duplex } from 'node:stream';
import { InstrumentedWebSocket } from '@offloop/core';
import * as ws from 'ws';
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import { HookRig } from './hook-rig.js';

/** What the types of ws leave out: how a server makes a socket of its own. */
const ServerSocket = ws.WebSocket as unknown as new (
  address: null,
  protocols: undefined,
  options: object,
) => ws.WebSocket & { setSocket(network: Duplex, head: Buffer, options: object): void };
const { Sender } = ws as unknown as {
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
};

const MESSAGE = Buffer.alloc(100, 'x');
/** As many as a packet may bring. */
const FRAMES_A_CHUNK = 16;

class Nowhere extends Duplex {
  _bytesDispatched = 0;
  bytesRead = 0;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this._bytesDispatched += chunk.length;
    done();
  }
}

function openSocket(): { readonly socket: ws.WebSocket; readonly network: Nowhere } {
  const socket = new ServerSocket(null, undefined, {});
  const network = new Nowhere();
  socket.setSocket(network, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 1e6 });
  return { socket, network };
}

function clientChunk(): Buffer {
  const mask = { mask: true, fin: true, opcode: 2, readOnly: true };
  const frames = Array.from({ length: FRAMES_A_CHUNK }, () => Sender.frame(MESSAGE, mask));
  return Buffer.concat(frames.flat());
}

type Direction = 'send' | 'receive';

function open(direction: Direction, isInstrumented: boolean): Subject {
  const { socket, network } = openSocket();
  const rig = new HookRig();
  if (isInstrumented) new InstrumentedWebSocket(socket, { register: rig.register });
  let seen = 0;
  const chunk = clientChunk();
  socket.on('message', () => {
    seen++;
  });
  const run = (count: number): void => {
    if (direction === 'send') {
      for (let index = 0; index < count; index++) socket.send(MESSAGE);
      seen += count;
      return;
    }
    for (let index = 0; index < count; index += FRAMES_A_CHUNK) {
      // Unmasked in place, so it is a new one each time.
      const packet = Buffer.from(chunk);
      network.bytesRead += packet.length;
      network.emit('data', packet);
    }
  };
  return {
    check: async () => {
      run(FRAMES_A_CHUNK * 10);
      const counted = await rig.total('websocket_messages_total');
      if (seen !== FRAMES_A_CHUNK * 10 || (isInstrumented && counted !== seen))
        throw new Error(`${seen} messages, ${counted} counted`);
    },
    prepare: rig.drain,
    run,
    finish: rig.refuseDrops,
  };
}

const SIZE = { smoke: 1_600, full: 400_000 };
/** Three records a message, in a ring of 65 536. */
const RUNS = { operationsPerRun: 16_000 };

/** For the processes of the suite. */
export const benches = [
  bench('send / bare', SIZE, () => open('send', false), RUNS),
  bench('send / instrumented', SIZE, () => open('send', true), RUNS),
  bench('receive / bare', SIZE, () => open('receive', false), RUNS),
  bench('receive / instrumented', SIZE, () => open('receive', true), RUNS),
];

const ADDED_NS_MAX = 1_000;

export const webSocketHooks = alternatingSuite({
  name: 'core/hooks/websocket',
  title: 'Instrumented WebSockets: nanoseconds a message',
  note: 'A socket of ws and messages of 100 bytes, over a stream that goes nowhere in place of the network.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
  surcharges: (['send', 'receive'] as const).map((direction) => ({
    row: `${direction} / instrumented`,
    over: `${direction} / bare`,
    atMost: ADDED_NS_MAX,
  })),
});
