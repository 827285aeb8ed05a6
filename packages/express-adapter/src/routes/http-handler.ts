import type { ServerResponse } from 'node:http';
import type { RoutedMessage } from '@offloop/worker/http';

/** Middleware in the shape that both majors of Express take, and anything that speaks connect. */
export type HttpMiddleware = (
  request: RoutedMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;
