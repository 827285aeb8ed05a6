import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Logger, OffloopError, type ResolvedPortOptions } from '@offloop/core';
import { chosenLogger, type Engine, messageOf, type Segment } from '@offloop/core/engine';
import { LocalLine } from './main-line.js';
import type { MainFacts, PortSource } from './main-state.js';
import type { PortAddress, PortTask, ToMain, ToPort } from './port-messages.js';
import { PortServer } from './port-server.js';
import { type PortSettings, portSettings } from './port-settings.js';

/** What an off-loop port is made of. */
export interface OffLoopPortOptions {
  /** 0: one that is free, and the same one from then on. */
  readonly port: number;
  readonly options: ResolvedPortOptions;
  readonly source: PortSource;
  /** As they are before `source` can be asked. */
  readonly facts: MainFacts;
  /** Default: process warnings. */
  readonly logger?: Logger;
}

interface Waiter {
  readonly resolve: (address: PortAddress) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Main's end of the off-loop port: the HTTP server runs in the engine's thread, one thread after the other on the same port, or here where there is
 * no thread. Nothing here keeps the process alive, but who waits for the address.
 */
export class OffLoopPort {
  private settings: PortSettings;
  private readonly source: PortSource;
  private readonly facts: MainFacts;
  private readonly logger: Logger;
  private channel: MessagePort | undefined;
  private server: PortServer | undefined;
  private found: PortAddress | undefined;
  private refusal: OffloopError | undefined;
  private isClosed = false;
  private waiters: Waiter[] = [];
  private sentKey = '';

  /** @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for a certificate or a key that cannot be used. */
  constructor(of: OffLoopPortOptions) {
    this.settings = portSettings(of.port, of.options);
    this.source = of.source;
    this.facts = of.facts;
    this.logger = chosenLogger(() => of.logger);
  }

  /** Where it listens; `undefined` while it does not. */
  get listening(): PortAddress | undefined {
    return this.found;
  }

  /**
   * Resolves with where it listens, when it does.
   *
   * @throws {OffloopError} `OFFLOOP_ERR_PORT` where it cannot, or is closed. It tries again all the same, until it is closed.
   */
  address(): Promise<PortAddress> {
    if (this.found !== undefined) return Promise.resolve(this.found);
    if (this.isClosed) return Promise.reject(closedError());
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.channel?.ref();
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  /** What a thread that is being started must know. Its `channel` is to be transferred. */
  openLine(): PortTask {
    this.closeLine();
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: ToMain) => this.receive(message, port1));
    if (this.waiters.length === 0) port1.unref();
    this.channel = port1;
    this.sentKey = '';
    // The source can be asked when whoever starts the engine is done with it.
    queueMicrotask(() => this.refresh());
    return { settings: this.settings, facts: this.facts, channel: port2 };
  }

  /** The thread has ended. */
  closeLine(): void {
    this.channel?.close();
    this.channel = undefined;
    this.found = undefined;
  }

  /** Serves the port here, for good. */
  serveHere(segment: Segment, engine: Engine['kind'], drain: () => void): void {
    if (this.isClosed || this.server !== undefined) return;
    const { settings, source } = this;
    const line = new LocalLine(source, {
      listening: (address) => this.hasAddress(address),
      refused: (reason) => this.isRefused(reason),
    });
    this.server = new PortServer({ settings, line, segment, engine, drain });
    this.server.listen();
  }

  /** Sends the thread what a page shows, where that has changed: it may have to do without main's answer. Never throws. */
  refresh(): void {
    const { channel } = this;
    if (channel === undefined) return;
    this.guarded(() => {
      const state = this.source.state();
      const { families, defaultLabels } = state.contents;
      // Values of foreign metrics only change when they are collected, and memory in use always does.
      const facts = { ...state.facts, heapUsedBytes: 0 };
      const key = JSON.stringify([families, defaultLabels, facts]);
      if (key === this.sentKey) return;
      this.sentKey = key;
      post(channel, { kind: 'state', state, isAnswer: false });
    });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.server?.close();
    this.closeLine();
    for (const { reject } of this.waiters.splice(0)) reject(closedError());
  }

  private receive(message: ToMain, channel: MessagePort): void {
    if (channel !== this.channel) return;
    switch (message.kind) {
      case 'ping':
        post(channel, { kind: 'heard' });
        break;
      case 'ask':
        post(channel, { kind: 'heard' });
        this.guarded(() => this.answer(channel));
        break;
      case 'rendered':
        this.guarded(() => this.source.countPage(message.renderMs));
        break;
      case 'listening':
        this.hasAddress(message.address);
        break;
      case 'refused':
        this.isRefused(message.reason);
        break;
    }
  }

  private async answer(channel: MessagePort): Promise<void> {
    await this.source.collect();
    if (channel !== this.channel) return;
    post(channel, { kind: 'state', state: this.source.state(), isAnswer: true });
  }

  private hasAddress(address: PortAddress): void {
    this.found = address;
    this.refusal = undefined;
    // The next thread takes the same one.
    this.settings = { ...this.settings, port: address.port };
    this.channel?.unref();
    for (const { resolve } of this.waiters.splice(0)) resolve(address);
  }

  private isRefused(reason: string): void {
    const { host, port } = this.settings;
    const isNews = this.refusal === undefined;
    this.refusal = new OffloopError(
      'OFFLOOP_ERR_PORT',
      `port: nothing answers at ${host}:${port}, which cannot be listened on, and is tried again: ${reason}`,
    );
    this.channel?.unref();
    for (const { reject } of this.waiters.splice(0)) reject(this.refusal);
    if (isNews) this.report(this.refusal);
  }

  /** What goes wrong here is not the application's. */
  private guarded(work: () => void | Promise<void>): void {
    try {
      work()?.catch((error: unknown) => this.report(error));
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    this.logger.warn({ code: 'OFFLOOP_ERR_PORT', err: error }, `offloop: ${messageOf(error)}`);
  }
}

function post(channel: MessagePort, message: ToPort): void {
  channel.postMessage(message);
}

function closedError(): OffloopError {
  return new OffloopError('OFFLOOP_ERR_PORT', 'port: it is closed with its metrics');
}
