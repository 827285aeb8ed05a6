import type { Server } from 'node:http';
import { instrumentWebSocketServer } from '@offloop/express';
import { WebSocketServer } from 'ws';

const PATH = '/live-scores';
const SCORE_MS = 500;
const GOAL_SHARE = 0.1;

/** A WebSocket endpoint that tells everybody the score, twice a second. @returns What ends it. */
export function serveLiveScores(server: Server): () => void {
  const sockets = new WebSocketServer({ server, path: PATH });
  instrumentWebSocketServer(sockets, { name: 'live-scores' });
  const score = { home: 0, guest: 0 };
  const timer = setInterval(() => {
    if (Math.random() < GOAL_SHARE) score[Math.random() < 0.5 ? 'home' : 'guest'] += 1;
    for (const socket of sockets.clients) socket.send(JSON.stringify(score));
  }, SCORE_MS);
  return () => {
    clearInterval(timer);
    sockets.close();
    for (const socket of sockets.clients) socket.terminate();
  };
}
