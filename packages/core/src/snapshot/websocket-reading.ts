import { FamilyRole } from '../layout/catalog.js';
import { readLiveValue } from '../record/live-value.js';
import {
  type HookReader,
  type ReadingMoment,
  readCounter,
  windowSpanSeconds,
} from './hook-reading.js';
import { quotient } from './quotient.js';
import type { WebSocketTotals } from './snapshot.js';

/** Where nothing is instrumented. */
export const NO_WEBSOCKETS: WebSocketTotals = {
  openConnectionsEstimate: 0,
  connections: 0,
  messagesSent: 0,
  messagesReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  errors: 0,
  upgradesRefused: 0,
  window: {
    messagesSent: 0,
    messagesReceived: 0,
    messagesSentPerSecond: null,
    messagesReceivedPerSecond: null,
  },
};

/** Reads what instrumented WebSockets count. To be called with the aggregates of `readCommitted`. */
export function readWebSockets(reader: HookReader, moment: ReadingMoment): WebSocketTotals {
  if (!reader.has(FamilyRole.webSocketOpen)) return NO_WEBSOCKETS;
  const sum = (role: FamilyRole, direction?: string) => {
    let total = 0;
    let inWindow = 0;
    for (const { family, series } of reader.read(role)) {
      for (const { block, labels } of series) {
        if (labels['direction'] !== direction) continue;
        const value = readCounter(reader.segment, { family, block }, moment);
        total += value.total;
        inWindow += value.inWindow;
      }
    }
    return { total, inWindow };
  };
  const sent = sum(FamilyRole.webSocketMessages, 'sent');
  const received = sum(FamilyRole.webSocketMessages, 'received');
  const seconds = windowSpanSeconds(reader, FamilyRole.webSocketMessages, moment);
  return {
    openConnectionsEstimate: openConnections(reader),
    connections: sum(FamilyRole.webSocketConnections).total,
    messagesSent: sent.total,
    messagesReceived: received.total,
    bytesSent: sum(FamilyRole.webSocketBytes, 'sent').total,
    bytesReceived: sum(FamilyRole.webSocketBytes, 'received').total,
    errors: sum(FamilyRole.webSocketErrors).total,
    upgradesRefused: sum(FamilyRole.webSocketRefusals).total,
    window: {
      messagesSent: sent.inWindow,
      messagesReceived: received.inWindow,
      messagesSentPerSecond: quotient(sent.inWindow, seconds),
      messagesReceivedPerSecond: quotient(received.inWindow, seconds),
    },
  };
}

function openConnections(reader: HookReader): number {
  let open = 0;
  for (const { series } of reader.read(FamilyRole.webSocketOpen)) {
    for (const { block } of series) open += readLiveValue(reader.segment, block);
  }
  return open;
}
