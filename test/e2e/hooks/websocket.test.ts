import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { InstrumentedWebSocket, instrumentWebSocketServer } from '@offloop/core';
import { expect } from 'chai';
import type { ServerOptions } from 'ws';
import { HookedNumbers } from '../../core/hooks/hooked-numbers.js';
import { codeOf } from '../../core/refusal.js';
import { eventuallyEqual } from '../eventually.js';
import { WebSocketPeers } from './websocket-peers.js';

function traceOf(target: object): unknown {
  return Reflect.ownKeys(target).map((key) => String(key));
}

function listenersOf(emitter: NodeJS.EventEmitter): unknown {
  return Object.fromEntries(
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]),
  );
}

/** Unlike `once`, not bothered by an error before it. */
function closed(emitter: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once('close', () => resolve()));
}

describe('instrumented WebSockets', () => {
  let peers: WebSocketPeers;
  let numbers: HookedNumbers;
  beforeEach(() => {
    numbers = new HookedNumbers();
  });
  afterEach(() => peers.close());

  const open = async (options: ServerOptions = {}) => {
    peers = await WebSocketPeers.open(options);
    return peers;
  };
  const instrument = (name = 'chat') =>
    instrumentWebSocketServer(peers.server, { name, register: numbers.register });
  const sample = async (metric: string, labels: string): Promise<number> =>
    (await numbers.samples(`websocket_${metric}`))[labels] ?? 0;
  const openCount = (): Promise<number> => sample('connections_open', 'chat');

  it('counts a connection from its upgrade to its close', async () => {
    await open();
    instrument();
    const { client, socket } = await peers.pair();
    expect(await openCount()).to.equal(1);
    client.send('hello');
    const [text] = (await once(socket, 'message')) as [Buffer];
    expect(String(text)).to.equal('hello');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send('grüße');
    await once(client, 'message');
    client.close(1000, 'done');
    await closed(socket);
    expect(await openCount()).to.equal(0);
    expect(await numbers.samples('websocket_messages_total')).to.deep.equal({
      'chat sent': 2,
      'chat received': 1,
    });
    expect(await numbers.samples('websocket_message_bytes_total')).to.deep.equal({
      'chat sent': 3 + 7,
      'chat received': 5,
    });
    // Two bytes before each message of a server, six before one of a client; the close frames as well, of both the code and of one its reason.
    expect(await numbers.samples('websocket_wire_bytes_total')).to.deep.equal({
      'chat sent': 2 + 3 + 2 + 7 + (2 + 2 + 4),
      'chat received': 6 + 5 + (6 + 2 + 4),
    });
    expect(await numbers.samples('websocket_closes_total')).to.deep.equal({ 'chat normal': 1 });
    expect(await numbers.counts('websocket_connection_duration_seconds')).to.deep.equal({
      chat: 1,
    });
  });

  it('counts what a listener of the connection sends at once', async () => {
    await open();
    instrument();
    peers.server.on('connection', (socket) => socket.send('welcome'));
    const client = peers.client();
    await once(client, 'message');
    expect(await sample('messages_total', 'chat sent')).to.equal(1);
  });

  it('counts compressed messages as they are on the wire', async () => {
    await open({ perMessageDeflate: { threshold: 0 } });
    instrument();
    const { client, socket } = await peers.pair();
    const message = 'a'.repeat(100_000);
    socket.send(message);
    await once(client, 'message');
    client.send(message);
    await once(socket, 'message');
    client.terminate();
    await closed(socket);
    for (const direction of ['sent', 'received']) {
      expect(await sample('message_bytes_total', `chat ${direction}`)).to.equal(100_000);
      const wire = await sample('wire_bytes_total', `chat ${direction}`);
      expect(wire, direction).to.be.within(50, 1_000);
    }
  });

  it('counts a message of several parts once', async () => {
    await open();
    instrument();
    const { client, socket } = await peers.pair();
    socket.send('one', { fin: false });
    socket.send('two', { fin: false });
    socket.send('three');
    expect(String(((await once(client, 'message')) as [Buffer])[0])).to.equal('onetwothree');
    expect(await sample('messages_total', 'chat sent')).to.equal(1);
    expect(await sample('message_bytes_total', 'chat sent')).to.equal(11);
  });

  it('knows the length of everything that ws sends and gives', async () => {
    await open();
    instrument();
    const { client, socket } = await peers.pair();
    const sent = ['é', Buffer.alloc(3), new ArrayBuffer(4), new Float64Array(2), 12_345];
    for (const data of sent) socket.send(data as string);
    socket.send(new Blob(['blob!!']) as unknown as Buffer);
    let heard = 0;
    client.on('message', () => {
      heard++;
    });
    await eventuallyEqual(async () => heard, sent.length + 1, { what: 'messages' });
    expect(await sample('message_bytes_total', 'chat sent')).to.equal(2 + 3 + 4 + 16 + 5 + 6);
    for (const type of ['nodebuffer', 'arraybuffer', 'fragments'] as const) {
      socket.binaryType = type;
      client.send(Buffer.alloc(10));
      await once(socket, 'message');
    }
    expect(await sample('message_bytes_total', 'chat received')).to.equal(30);
  });

  it('counts nothing that is sent after the close', async () => {
    await open();
    instrument();
    const { client, socket } = await peers.pair();
    client.terminate();
    await closed(socket);
    await new Promise((resolve) => socket.send('late', resolve));
    expect(await sample('messages_total', 'chat sent')).to.equal(0);
  });

  it('counts close codes by their classes', async () => {
    await open();
    instrument();
    const codes = [1000, 1001, 1002, 1008, 1009, 1011, 3_500, 4_242, undefined];
    for (const code of codes) {
      const { client, socket } = await peers.pair();
      client.close(code);
      await closed(socket);
    }
    const { client, socket } = await peers.pair();
    client.terminate();
    await closed(socket);
    const classes = [
      ...['normal', 'going_away', 'protocol', 'policy', 'too_large', 'server'],
      ...['library', 'application', 'no_status', 'abnormal'],
    ];
    expect(await numbers.samples('websocket_closes_total')).to.deep.equal(
      Object.fromEntries(classes.map((name) => [`chat ${name}`, 1])),
    );
  });

  it('counts an error, and leaves it to the application', async () => {
    await open({ maxPayload: 100 });
    instrument();
    const { client, socket } = await peers.pair();
    expect(socket.listenerCount('error')).to.equal(0);
    const error = once(socket, 'error');
    client.send('x'.repeat(200));
    const [problem] = (await error.catch((reason: unknown) => [reason])) as [Error];
    expect(problem.message).to.match(/Max payload size exceeded/);
    await closed(socket);
    expect(await sample('errors_total', 'chat')).to.equal(1);
    expect(await numbers.samples('websocket_closes_total')).to.deep.equal({ 'chat abnormal': 1 });
  });

  it('counts upgrades that the server refuses', async () => {
    await open({
      path: '/chat',
      verifyClient: ({ req }: { readonly req: IncomingMessage }) => req.headers['x-key'] === '1',
    });
    instrument();
    await peers.connected('/chat', { headers: { 'x-key': '1' } });
    for (const [path, headers] of [
      ['/other', { 'x-key': '1' }],
      ['/chat', {}],
    ] as const) {
      const refused = peers.client(path, { headers });
      await closed(refused);
    }
    const plain = connect(peers.port, '127.0.0.1');
    plain.write(
      'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await closed(plain.resume());
    await eventuallyEqual(() => sample('upgrades_refused_total', 'chat'), 3, { what: 'refusals' });
    expect(await openCount()).to.equal(1);
  });

  it('counts a client that leaves before it is verified as nothing', async () => {
    let answer: (isVerified: boolean) => void = () => {};
    await open({
      verifyClient: (_info: unknown, done: (isVerified: boolean) => void) => {
        answer = done;
      },
    });
    instrument();
    const upgraded = once(peers.http, 'upgrade') as Promise<[unknown, NodeJS.EventEmitter]>;
    const client = peers.client();
    const [, socket] = await upgraded;
    client.terminate();
    await once(socket, 'end').catch(() => {});
    answer(true);
    await closed(socket);
    expect(await sample('upgrades_refused_total', 'chat')).to.equal(0);
    expect(await sample('connections_total', 'chat')).to.equal(0);
  });

  it('counts connections that are open already, and forgets them without a trace', async () => {
    await open();
    const { client, socket } = await peers.pair();
    const plain = await peers.pair();
    const before = [traceOf(peers.server), traceOf(socket), listenersOf(socket)];
    const netBefore = listenersOf((socket as unknown as { _socket: NodeJS.EventEmitter })._socket);
    const instrumented = instrument();
    expect(await openCount()).to.equal(2);
    const later = await peers.pair();
    client.send('counted');
    await once(socket, 'message');
    expect(await openCount()).to.equal(3);
    instrumented.detach();
    instrumented.detach();
    expect(instrumented.isAttached).to.equal(false);
    expect([traceOf(peers.server), traceOf(socket), listenersOf(socket)]).to.deep.equal(before);
    expect(traceOf(later.socket)).to.deep.equal(traceOf(plain.socket));
    expect(
      listenersOf((later.socket as unknown as { _socket: NodeJS.EventEmitter })._socket),
    ).to.deep.equal(netBefore);
    expect(await openCount()).to.equal(0);
    later.client.send('not counted');
    await once(later.socket, 'message');
    const unseen = await peers.pair();
    unseen.client.terminate();
    await closed(unseen.socket);
    expect(await sample('messages_total', 'chat received')).to.equal(1);
    expect(await openCount()).to.equal(0);
    expect(await numbers.samples('websocket_closes_total')).to.deep.equal({});
  });

  it('counts on where the application removes every listener', async () => {
    await open();
    instrument();
    const { client, socket } = await peers.pair();
    socket.removeAllListeners();
    client.terminate();
    await eventuallyEqual(openCount, 0, { what: 'open connections' });
  });

  it('is one instrument when it is asked for twice', async () => {
    await open();
    const first = instrument();
    expect(instrument()).to.equal(first);
    expect(codeOf(() => instrument('other'))).to.equal('OFFLOOP_ERR_HOOK');
    await peers.pair();
    expect(await openCount()).to.equal(1);
  });

  it('wraps one socket of a client, before it is open', async () => {
    await open();
    const client = peers.client();
    const wrapped = new InstrumentedWebSocket(client, {
      name: 'upstream',
      register: numbers.register,
    });
    expect(wrapped.socket).to.equal(client);
    expect(await sample('connections_open', 'upstream')).to.equal(0);
    expect(() => client.send('too early')).to.throw('CONNECTING');
    await once(client, 'open');
    expect(await sample('connections_open', 'upstream')).to.equal(1);
    new InstrumentedWebSocket(client, { name: 'upstream', register: numbers.register });
    client.send('once');
    expect(await sample('messages_total', 'upstream sent')).to.equal(1);
    client.close();
    await closed(client);
    expect(wrapped.isAttached).to.equal(false);
    expect(await sample('connections_open', 'upstream')).to.equal(0);
  });

  it('counts a connection that never opened as an error alone', async () => {
    await open({ verifyClient: () => false });
    const client = peers.client();
    new InstrumentedWebSocket(client, { name: 'upstream', register: numbers.register });
    await closed(client);
    expect(await sample('errors_total', 'upstream')).to.equal(1);
    expect(await sample('connections_total', 'upstream')).to.equal(0);
    expect(await numbers.samples('websocket_closes_total')).to.deep.equal({});
  });

  it('refuses what is no socket or server of ws', async () => {
    await open();
    const { register } = numbers;
    for (const wrong of [{}, null, 7, peers.http, new EventTarget()]) {
      expect(codeOf(() => new InstrumentedWebSocket(wrong as never, { register }))).to.equal(
        'OFFLOOP_ERR_ARGUMENT',
      );
      expect(codeOf(() => instrumentWebSocketServer(wrong as never, { register }))).to.equal(
        'OFFLOOP_ERR_ARGUMENT',
      );
    }
    expect(codeOf(() => instrument(''))).to.equal('OFFLOOP_ERR_ARGUMENT');
  });
});
