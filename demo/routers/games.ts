import { setTimeout as delay } from 'node:timers/promises';
import { CacheMetricsHook } from '@offloop/express';
import { Router } from 'express';
import { LRUCache } from 'lru-cache';

interface Game {
  readonly home: string;
  readonly guest: string;
  readonly startsAt: string;
}

const TEAMS = ['Harbour', 'Meadow', 'Summit', 'Valley', 'Cliff', 'River'] as const;
const CACHE_MS = 2_000;
const LOOK_UP_MS = 40;

/** Today's games, from a cache that forgets them now and then. */
export function gamesRouter(): Router {
  const cache = new LRUCache<string, readonly Game[]>({ max: 7, ttl: CACHE_MS });
  CacheMetricsHook.hook(cache, { name: 'games' });
  const router = Router();
  router.get('/todays-games', async (_request, response) => {
    const today = new Date().toISOString().slice(0, 10);
    let games = cache.get(today);
    if (games === undefined) {
      games = await lookUpGames(today);
      cache.set(today, games);
    }
    response.json({ games });
  });
  return router;
}

/** Stands for a query to a database. */
async function lookUpGames(day: string): Promise<readonly Game[]> {
  await delay(LOOK_UP_MS);
  return TEAMS.slice(0, -1).map((home, index) => ({
    home,
    guest: TEAMS[index + 1] ?? home,
    startsAt: `${day}T${14 + index}:00:00Z`,
  }));
}
