import { CacheMetricsHook } from '@offloop/core';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis5';
import { HookedNumbers } from '../../core/hooks/hooked-numbers.js';
import { useProcesses } from '../../support/processes.js';
import { Random, runSeed } from '../../support/random.js';
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
        expect(hook(client).kind).to.equal('ioredis');
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
        expect(hook(client).kind).to.equal('node-redis');
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

  describe(`the same random commands, hooked and bare (OFFLOOP_SEED=${runSeed})`, () => {
    type Send = (method: string, args: readonly unknown[]) => Promise<unknown>;

    function sendTo(client: object): Send {
      return async (method, args) => {
        const command = (client as Record<string, (...args: unknown[]) => unknown>)[method];
        try {
          return { fulfilled: await command?.apply(client, [...args]) };
        } catch (error) {
          return { rejected: String(error) };
        }
      };
    }

    async function compare(hooked: object, bare: object, commands: Commands): Promise<void> {
      const random = new Random();
      hook(hooked);
      const [sendHooked, sendBare] = [sendTo(hooked), sendTo(bare)];
      const methods = Object.keys(commands);
      for (let call = 0; call < 400; call++) {
        const method = methods[random.below(methods.length)] as string;
        const args = commands[method]?.(random) ?? [];
        const expected = await sendBare(method, args);
        const got = await sendHooked(method, args);
        expect(got, `${method} ${JSON.stringify(args)}`).to.deep.equal(expected);
      }
      const { calls } = await numbers.cache('redis');
      expect(Object.keys(calls)).to.have.members(['get', 'mget', 'has', 'set', 'delete', 'clear']);
    }

    it('ioredis', async () => {
      const hooked = new Redis({ port: server.port, host: '127.0.0.1', db: 2 });
      const bare = new Redis({ port: server.port, host: '127.0.0.1', db: 3 });
      await compare(hooked, bare, {
        ...COMMANDS,
        mget: keysOf,
        exists: keysOf,
        del: keysOf,
        setex: (random) => [keyOf(random), 100, 'value'],
        getBuffer: (random) => [keyOf(random)],
        lpush: (random) => [keyOf(random), 'x'],
        flushdb: () => [],
      });
      hooked.disconnect();
      bare.disconnect();
    });

    it('node-redis', async () => {
      const url = `redis://127.0.0.1:${server.port}`;
      const hooked = createClient({ url, database: 4 });
      const bare = createClient({ url, database: 5 });
      await Promise.all([hooked.connect(), bare.connect()]);
      await compare(hooked, bare, {
        ...COMMANDS,
        mGet: (random) => [keysOf(random)],
        exists: (random) => [keysOf(random)],
        del: (random) => [keysOf(random)],
        setEx: (random) => [keyOf(random), 100, 'value'],
        lPush: (random) => [keyOf(random), 'x'],
        flushDb: () => [],
      });
      hooked.destroy();
      bare.destroy();
    });
  });
});

type Commands = Readonly<Record<string, (random: Random) => readonly unknown[]>>;

const keyOf = (random: Random): string => `key-${random.below(10)}`;
/** At times none, which a server refuses. */
const keysOf = (random: Random): string[] =>
  Array.from({ length: random.below(4) }, () => keyOf(random));

const COMMANDS: Commands = {
  get: (random) => [keyOf(random)],
  set: (random) => [keyOf(random), `value-${random.below(100)}`],
  ttl: (random) => [keyOf(random)],
};
