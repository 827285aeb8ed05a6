import { instrumentWebSocketServer } from '@offloop/core';
import { expect } from 'chai';
import type { WebSocket } from 'ws';
import { HookedNumbers } from '../../core/hooks/hooked-numbers.js';
import { Random, runSeed } from '../../support/random.js';
import { eventuallyEqual } from '../eventually.js';
import { WebSocketPeers } from './websocket-peers.js';

describe('instrumented WebSockets under load', () => {
  const numbers = new HookedNumbers();
  let peers: WebSocketPeers;
  after(() => peers.close());

  const sample = async (metric: string, labels: string): Promise<number> =>
    (await numbers.samples(`websocket_${metric}`))[labels] ?? 0;
  const openCount = (): Promise<number> => sample('connections_open', 'chat');

  it(`balances after 500 sockets and 50 000 messages, some cut off (OFFLOOP_SEED=${runSeed})`, async function () {
    this.timeout(60_000);
    const SOCKETS = 500;
    const ROUNDS = 50;
    peers = await WebSocketPeers.open();
    instrumentWebSocketServer(peers.server, { name: 'chat', register: numbers.register });
    const random = new Random();
    const counted = {
      connections: 0,
      received: 0,
      receivedBytes: 0,
      sent: 0,
      sentBytes: 0,
      closes: 0,
    };
    peers.server.on('connection', (socket: WebSocket) => {
      counted.connections++;
      socket.on('error', () => {});
      socket.on('close', () => {
        counted.closes++;
      });
      socket.on('message', (data: Buffer) => {
        counted.received++;
        counted.receivedBytes += data.length;
        if (socket.readyState !== socket.OPEN) return;
        counted.sent++;
        counted.sentBytes += data.length;
        socket.send(data);
      });
    });
    const clients = await Promise.all(Array.from({ length: SOCKETS }, () => peers.connected()));
    expect(await openCount()).to.equal(SOCKETS);
    let echoes = 0;
    for (const client of clients) {
      client.on('message', () => {
        echoes++;
      });
    }
    let offered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const client of clients) {
        client.send(Buffer.alloc(random.below(200)));
        client.send('text');
        offered += 2;
      }
      await numbers.pipeline.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventuallyEqual(async () => echoes, offered, { what: 'echoes' });
    expect(offered).to.equal(SOCKETS * ROUNDS * 2);
    // Cut off in the midst of messages, from either side; closed in order; left for the server.
    for (const [index, client] of clients.entries()) {
      client.send('last');
      if (index % 4 === 0) client.terminate();
      else if (index % 4 === 1) client.close(4_000 + (index % 100));
      else if (index % 4 === 2) client.close();
    }
    for (const socket of peers.server.clients) if (random.below(2) === 0) socket.terminate();
    for (const socket of peers.server.clients) socket.close(1001);
    await eventuallyEqual(async () => counted.closes, SOCKETS, { what: 'closes' });
    expect(await openCount()).to.equal(0);
    expect(await sample('connections_total', 'chat')).to.equal(counted.connections);
    const closes = Object.values(await numbers.samples('websocket_closes_total'));
    expect(closes.reduce((sum, count) => sum + count, 0)).to.equal(counted.closes);
    expect(await numbers.samples('websocket_messages_total')).to.deep.equal({
      'chat sent': counted.sent,
      'chat received': counted.received,
    });
    expect(await numbers.samples('websocket_message_bytes_total')).to.deep.equal({
      'chat sent': counted.sentBytes,
      'chat received': counted.receivedBytes,
    });
    expect(await numbers.counts('websocket_connection_duration_seconds')).to.deep.equal({
      chat: SOCKETS,
    });
    expect(numbers.pipeline.totals().droppedRecords).to.equal(0);
  });
});
