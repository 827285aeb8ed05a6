import { setTimeout as delay } from 'node:timers/promises';
import { Router } from 'express';

const TEAM_COUNT = 40;
const PLAYER_COUNT = 25;
const LOOK_UP_MS_MAX = 15;

/** Teams, with a router of players below each: `/teams/:teamId/players/:playerId`. */
export function teamRouter(): Router {
  const router = Router();
  router.get('/:teamId', (request, response) => {
    const teamId = Number(request.params.teamId);
    if (!isIdUpTo(TEAM_COUNT, teamId)) {
      response.status(404).json({ error: 'no such team' });
      return;
    }
    response.json({ teamId, playerCount: PLAYER_COUNT });
  });
  router.use('/:teamId/players', playerRouter());
  return router;
}

function playerRouter(): Router {
  const router = Router({ mergeParams: true });
  router.get('/:playerId', async (request, response) => {
    const { teamId, playerId } = request.params as { teamId?: string; playerId: string };
    await delay(Math.random() * LOOK_UP_MS_MAX);
    if (!isIdUpTo(TEAM_COUNT, Number(teamId)) || !isIdUpTo(PLAYER_COUNT, Number(playerId))) {
      response.status(404).json({ error: 'no such player' });
      return;
    }
    response.json({ teamId: Number(teamId), playerId: Number(playerId) });
  });
  router.post('/', (request, response) => {
    response.status(201).json({ ...request.body, playerId: PLAYER_COUNT + 1 });
  });
  return router;
}

function isIdUpTo(count: number, id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id <= count;
}
