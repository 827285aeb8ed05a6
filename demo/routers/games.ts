import { setTimeout as delay } from 'node:timers/promises';
import { Counter } from '@offloop/express';
import { Router } from 'express';

interface Game {
  readonly home: string;
  readonly guest: string;
  readonly startsAt: string;
}

const TEAMS = ['Harbour', 'Meadow', 'Summit', 'Valley', 'Cliff', 'River'] as const;
const CACHE_MS = 2_000;
const LOOK_UP_MS = 40;

const cacheLookups = new Counter({
  name: 'games_cache_lookups_total',
  help: "Look-ups of today's games in the cache, by result.",
  labelNames: ['result'],
});

/** Today's games, from a cache that forgets them now and then. */
export function gamesRouter(): Router {
  let cached: { readonly games: readonly Game[]; readonly untilMs: number } | undefined;
  const router = Router();
  router.get('/todays-games', async (_request, response) => {
    const isHit = cached !== undefined && cached.untilMs > Date.now();
    cacheLookups.inc({ result: isHit ? 'hit' : 'miss' });
    if (!isHit) cached = { games: await lookUpGames(), untilMs: Date.now() + CACHE_MS };
    response.json({ games: cached?.games });
  });
  return router;
}

/** Stands for a query to a database. */
async function lookUpGames(): Promise<readonly Game[]> {
  await delay(LOOK_UP_MS);
  const today = new Date().toISOString().slice(0, 10);
  return TEAMS.slice(0, -1).map((home, index) => ({
    home,
    guest: TEAMS[index + 1] ?? home,
    startsAt: `${today}T${14 + index}:00:00Z`,
  }));
}
