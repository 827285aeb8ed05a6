import type { Pipeline } from '../../engine/pipeline.js';
import { BoundSeries } from '../../instruments/bound-series.js';
import type { Family } from '../../instruments/family.js';
import type { Registry } from '../../instruments/registry.js';
import { FamilyRole } from '../../layout/catalog.js';
import { seriesBlock } from '../../layout/catalog-reader.js';
import { writeLiveCount } from '../../record/live-value.js';
import type { Recorder } from '../../record/recorder.js';
import type { HookFamilies, HookFamily } from '../hook-families.js';
import { familiesOf, hookTable, type TabledHook } from '../hook-table.js';
import { type CloseClass, closeClassOf } from './close-class.js';

/** The metrics of WebSockets. */
export const WEBSOCKET_FAMILIES = {
  open: {
    type: 'gauge',
    name: 'websocket_connections_open',
    help: 'WebSocket connections that are open.',
    labelNames: ['endpoint'],
    role: FamilyRole.webSocketOpen,
  },
  connections: {
    type: 'counter',
    name: 'websocket_connections_total',
    help: 'WebSocket connections that were opened.',
    labelNames: ['endpoint'],
    role: FamilyRole.webSocketConnections,
  },
  refusals: {
    type: 'counter',
    name: 'websocket_upgrades_refused_total',
    help: 'Upgrades that the server answered with an error.',
    labelNames: ['endpoint'],
    role: FamilyRole.webSocketRefusals,
  },
  messages: {
    type: 'counter',
    name: 'websocket_messages_total',
    help: 'Messages, each once it is whole.',
    labelNames: ['endpoint', 'direction'],
    role: FamilyRole.webSocketMessages,
  },
  bytes: {
    type: 'counter',
    name: 'websocket_message_bytes_total',
    help: 'Bytes of messages as the application has them, before compression.',
    labelNames: ['endpoint', 'direction'],
    role: FamilyRole.webSocketBytes,
  },
  wireBytes: {
    type: 'counter',
    name: 'websocket_wire_bytes_total',
    help: 'Bytes on the wire, compressed and with frames, where the socket tells.',
    labelNames: ['endpoint', 'direction'],
  },
  closes: {
    type: 'counter',
    name: 'websocket_closes_total',
    help: 'Connections that were closed, by the class of the close code.',
    labelNames: ['endpoint', 'class'],
  },
  errors: {
    type: 'counter',
    name: 'websocket_errors_total',
    help: 'Errors of connections.',
    labelNames: ['endpoint'],
    role: FamilyRole.webSocketErrors,
  },
  lifetime: {
    type: 'histogram',
    name: 'websocket_connection_duration_seconds',
    help: 'How long connections were open, in seconds.',
    labelNames: ['endpoint'],
    bounds: [0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400],
  },
} as const satisfies Record<string, HookFamily>;

type WebSocketFamilies = HookFamilies<keyof typeof WEBSOCKET_FAMILIES>;

/** Messages and bytes of one direction. */
class DirectionSeries {
  private readonly recorder: Recorder;
  private readonly record: Recorder['record'];
  private readonly messages: BoundSeries;
  private readonly bytes: BoundSeries;
  private readonly wireBytes: BoundSeries;

  constructor(
    { families, pipeline }: WebSocketFamilies,
    labels: readonly [endpoint: string, direction: string],
  ) {
    this.recorder = pipeline.producer.recorder;
    this.record = this.recorder.record;
    this.messages = new BoundSeries(families.messages, labels);
    this.bytes = new BoundSeries(families.bytes, labels);
    this.wireBytes = new BoundSeries(families.wireBytes, labels);
    for (const series of [this.messages, this.bytes]) void series.id;
  }

  /** @param isWhole Whether it was a message's last part. */
  part(bytes: number, isWhole: boolean): void {
    this.recorder.stamp(performance.now());
    if (isWhole) this.record(this.messages.id, 1);
    if (bytes > 0) this.record(this.bytes.id, bytes);
  }

  wire(bytes: number): void {
    if (bytes > 0) this.record(this.wireBytes.id, bytes);
  }
}

/**
 * The series of one endpoint: a server, or a set of sockets under one name. The number of open connections is kept here and written in
 * place, as a dropped record would leave it wrong for ever.
 */
export class EndpointSeries implements TabledHook {
  readonly sent: DirectionSeries;
  readonly received: DirectionSeries;
  readonly pipeline: Pipeline;
  private readonly recorder: Recorder;
  private readonly families: WebSocketFamilies['families'];
  private readonly name: string;
  private readonly open: BoundSeries;
  private readonly connections: BoundSeries;
  private readonly errors: BoundSeries;
  private readonly refusals: BoundSeries;
  private readonly lifetime: BoundSeries;
  private readonly closes = new Map<CloseClass, BoundSeries>();
  private openCount = 0;
  /** What is to be taken off with it: servers, and sockets that are open. */
  private readonly watching = new Set<{ detach(): void }>();

  constructor(of: WebSocketFamilies, name: string) {
    const { families, pipeline } = of;
    this.pipeline = pipeline;
    this.recorder = pipeline.producer.recorder;
    this.families = families;
    this.name = name;
    this.sent = new DirectionSeries(of, [name, 'sent']);
    this.received = new DirectionSeries(of, [name, 'received']);
    const bound = (family: Family): BoundSeries => new BoundSeries(family, [name]);
    this.open = bound(families.open);
    this.connections = bound(families.connections);
    this.errors = bound(families.errors);
    this.refusals = bound(families.refusals);
    this.lifetime = bound(families.lifetime);
    // From the start at zero, so that a rate over time has where to begin.
    for (const series of [this.open, this.connections, this.errors, this.refusals]) void series.id;
  }

  watch(watched: { detach(): void }): void {
    this.watching.add(watched);
  }

  forget(watched: { detach(): void }): void {
    this.watching.delete(watched);
  }

  /** Takes itself off everything that it counts. */
  unhook(): void {
    for (const watched of [...this.watching]) watched.detach();
  }

  opened(): void {
    this.count(this.connections);
    this.writeOpen(1);
  }

  /** A connection that is open is watched no more. */
  left(): void {
    this.writeOpen(-1);
  }

  /** @param openedMs By `performance.now()`. */
  closed(code: unknown, openedMs: number): void {
    this.writeOpen(-1);
    const closeClass = closeClassOf(code);
    let series = this.closes.get(closeClass);
    if (series === undefined) {
      series = new BoundSeries(this.families.closes, [this.name, closeClass]);
      this.closes.set(closeClass, series);
    }
    this.count(series);
    const nowMs = performance.now();
    this.recorder.record(this.lifetime.id, Math.max(0, nowMs - openedMs) / 1000);
  }

  failed(): void {
    this.count(this.errors);
  }

  refused(): void {
    this.count(this.refusals);
  }

  private count(series: BoundSeries): void {
    this.recorder.stamp(performance.now());
    this.recorder.record(series.id, 1);
  }

  private writeOpen(change: 1 | -1): void {
    this.openCount += change;
    const { segment } = this.pipeline.producer;
    writeLiveCount(segment, seriesBlock(segment, this.open.id), this.openCount);
  }
}

/**
 * The series of an endpoint in a registry's pipeline, whose metrics are in the registry. Two servers of one name are one endpoint, as its open
 * connections are counted in one place.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_DUPLICATE_METRIC`, `OFFLOOP_ERR_FAMILIES_FULL`, `OFFLOOP_ERR_CATALOG_FULL`.
 */
export function endpointSeries(register: Registry, name: string): EndpointSeries {
  const families = familiesOf('websocket', { register, definitions: WEBSOCKET_FAMILIES });
  let series = families.shared.get(name) as EndpointSeries | undefined;
  if (series === undefined) {
    series = new EndpointSeries(families, name);
    families.shared.set(name, series);
    hookTable().all.add(series);
  }
  return series;
}
