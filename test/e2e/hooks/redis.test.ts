import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis5';
import { HookedNumbers } from '../../core/hooks/hooked-numbers.js';
import { useProcesses } from '../../support/processes.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';
import { useTemporaryFolders } from '../../support/temporary-folder.js';

describe('hooked Redis clients', function () {
  this.timeout(20_000);
  const start = useProcesses();
  const folder = useTemporaryFolders();
  let server: RedisServer;
  let numbers: HookedNumbers;

  before(async function () {
    server = await startRedis(this, start, folder());
  });
  beforeEach(() => {
    numbers = new HookedNumbers();
  });

  const hook = (client: object) =>
    CacheMetricsHook.hook(client, { name: 'redis', register: numbers.register });

  for (const [title, open] of [
    ['ioredis', (port: number, options = {}) => new Redis({ port, host: '127.0.0.1', ...options })],
    [
      'ioredis 5',
      (port: number, options = {}) =>
        new Redis5({ port, host: '127.0.0.1', ...options }) as unknown as Redis,
    ],
  ] as const) {
    describe(title, () => {
      let client: Redis;
      beforeEach(async () => {
        client = open(server.port);
        await client.flushall();
      });
      afterEach(() => client.disconnect());

      it('counts commands, and what the look-ups found', async () => {
        expect(hook(client).library).to.equal('ioredis');
        expect(await client.get('a')).to.equal(null);
        expect(await client.set('a', '1', 'EX', 60)).to.equal('OK');
        expect(await client.get('a')).to.equal('1');
        expect(String(await client.getBuffer('a'))).to.equal('1');
        expect(await client.mget('a', 'b', 'c')).to.deep.equal(['1', null, null]);
        expect(await client.mget(['a', 'b'])).to.deep.equal(['1', null]);
        expect(await client.exists('a', 'b')).to.equal(1);
        expect(await client.del('a')).to.equal(1);
        expect(await client.flushdb()).to.equal('OK');
        expect(await numbers.cache('redis')).to.deep.equal({
          hits: 4,
          misses: 4,
          calls: { get: 3, mget: 2, has: 1, set: 1, delete: 1, clear: 1 },
        });
      });

      it('answers callbacks, and counts them once', async () => {
        hook(client);
        await client.lpush('list', 'x');
        const answer = await new Promise((resolve) =>
          client.get('missing', (_error, value) => resolve(value)),
        );
        const error = await new Promise<Error | null | undefined>((resolve) =>
          client.get('list', (problem) => resolve(problem)),
        );
        expect(answer).to.equal(null);
        expect(error?.message).to.match(/^WRONGTYPE/);
        expect((await numbers.cache('redis')).calls).to.deep.equal({ get: 2 });
        expect(await numbers.samples('cache_errors_total')).to.deep.equal({ 'redis get': 1 });
      });

      it('leaves pipelines, transactions and subscriptions alone', async () => {
        const subscriber = open(server.port);
        // Its own check of the server would come after `subscribe` otherwise.
        await subscriber.ping();
        hook(client);
        const subscription = CacheMetricsHook.hook(subscriber, {
          name: 'subscriber',
          register: numbers.register,
        });
        const results = await client.pipeline().set('a', '1').get('a').get('b').exec();
        expect(results?.map(([, value]) => value)).to.deep.equal(['OK', '1', null]);
        const committed = await client.multi().set('a', '2').get('a').exec();
        expect(committed?.map(([, value]) => value)).to.deep.equal(['OK', '2']);
        const heard = new Promise((resolve) =>
          subscriber.on('message', (channel, text) => resolve([channel, text])),
        );
        await subscriber.subscribe('news');
        await client.publish('news', 'hello');
        expect(await heard).to.deep.equal(['news', 'hello']);
        subscriber.disconnect();
        subscription.unhook();
        expect(await numbers.cache('redis')).to.deep.equal({ hits: 0, misses: 0, calls: {} });
      });

      it('counts no look-up of a transaction that goes command by command', async () => {
        hook(client);
        await client.multi({ pipeline: false });
        expect(await client.get('a')).to.equal('QUEUED');
        expect(await client.mget('a', 'b')).to.equal('QUEUED');
        expect((await client.exec())?.map(([, value]) => value)).to.deep.equal([
          null,
          [null, null],
        ]);
        expect(await numbers.cache('redis')).to.deep.equal({
          hits: 0,
          misses: 0,
          calls: { get: 1, mget: 1 },
        });
      });

      it('counts commands that the client pipelines by itself', async () => {
        const automatic = open(server.port, { enableAutoPipelining: true });
        hook(automatic);
        await automatic.set('a', '1');
        const values = await Promise.all(['a', 'b', 'a'].map((key) => automatic.get(key)));
        expect(values).to.deep.equal(['1', null, '1']);
        expect(await numbers.cache('redis')).to.deep.equal({
          hits: 2,
          misses: 1,
          calls: { get: 3, set: 1 },
        });
        automatic.disconnect();
      });

      it('comes off while a command is under way', async () => {
        const before = Reflect.ownKeys(client);
        const hooked = hook(client);
        const got = client.get('a');
        hooked.unhook();
        expect(await got).to.equal(null);
        expect(Reflect.ownKeys(client)).to.deep.equal(before);
        await client.get('a');
        expect((await numbers.cache('redis')).calls).to.deep.equal({ get: 1 });
      });
    });
  }

  const openNewest = (port: number) => createClient({ url: `redis://127.0.0.1:${port}` });
  type NodeRedis = ReturnType<typeof openNewest>;
  const openBefore = (port: number) =>
    createClient5({ url: `redis://127.0.0.1:${port}` }) as unknown as NodeRedis;
  for (const [title, open] of [
    ['node-redis', openNewest],
    ['node-redis 5', openBefore],
  ] as const) {
    describe(title, () => {
      let client: NodeRedis;
      beforeEach(async () => {
        client = open(server.port);
        await client.connect();
        await client.flushAll();
      });
      afterEach(() => client.destroy());

      it('counts commands under both names, and what the look-ups found', async () => {
        expect(hook(client).library).to.equal('node-redis');
        expect(await client.get('a')).to.equal(null);
        expect(await client.set('a', '1', { EX: 60 })).to.equal('OK');
        expect(await client.GET('a')).to.equal('1');
        expect(await client.mGet(['a', 'b', 'c'])).to.deep.equal(['1', null, null]);
        expect(await client.exists(['a', 'b'])).to.equal(1);
        expect(await client.DEL('a')).to.equal(1);
        expect(await client.flushDb()).to.equal('OK');
        expect(await numbers.cache('redis')).to.deep.equal({
          hits: 2,
          misses: 3,
          calls: { get: 2, mget: 1, has: 1, set: 1, delete: 1, clear: 1 },
        });
      });

      it('leaves transactions and subscriptions alone', async () => {
        hook(client);
        const subscriber = client.duplicate();
        await subscriber.connect();
        const committed: unknown = await client.multi().set('a', '2').get('a').exec();
        expect(committed).to.deep.equal(['OK', '2']);
        const heard = new Promise((resolve) => {
          void subscriber.subscribe('news', (text, channel) => resolve([channel, text]));
        });
        while ((await client.publish('news', 'hello')) === 0);
        expect(await heard).to.deep.equal(['news', 'hello']);
        subscriber.destroy();
        expect(await numbers.cache('redis')).to.deep.equal({ hits: 0, misses: 0, calls: {} });
      });

      it('rejects with the error of the server, and counts it', async () => {
        hook(client);
        await client.lPush('list', 'x');
        const error: unknown = await client.get('list').catch((reason: unknown) => reason);
        expect((error as Error).message).to.match(/^WRONGTYPE/);
        expect(await numbers.samples('cache_errors_total')).to.deep.equal({ 'redis get': 1 });
      });

      it('hooks a view with options of its own by itself', async () => {
        hook(client);
        await client.set('a', '1');
        const view = client.withTypeMapping({});
        await view.get('a');
        expect((await numbers.cache('redis')).hits).to.equal(0);
        hook(view);
        expect(await view.get('a')).to.equal('1');
        expect((await numbers.cache('redis')).hits).to.equal(1);
      });
    });
  }
});
