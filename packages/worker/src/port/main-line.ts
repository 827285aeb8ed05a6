import { clearTimeout, setTimeout } from 'node:timers';
import type { MessagePort } from 'node:worker_threads';
import { familyCount, type Segment } from '@offloop/core/engine';
import type { MainFacts, MainState, PortSource } from './main-state.js';
import type { PortAddress, ToMain, ToPort } from './port-messages.js';

/** What a port has of the main thread: its newest state, if it can be had, and else the one before. */
export interface MainLine {
  /** The newest that there is. */
  readonly latest: MainState;
  /** Resolves with main's state as of now, or with the newest there is where main does not answer in time. Never rejects. */
  refresh(): Promise<MainState>;
  /** Resolves when main has answered, or has not in time. */
  ping(): Promise<void>;
  /** How long main has not answered, ms; 0 where it does. */
  readonly unansweredMs: number;
  rendered(renderMs: number): void;
  listening(address: PortAddress): void;
  refused(reason: string): void;
}

/** A loop that does not turn within this is taken for blocked: with it a scrape still takes less than 50 ms. */
const HEAR_MS = 20;

/** How long a page waits for collectors of a main thread whose loop turns. */
const COLLECT_MS = 1_000;

/** The line of a thread to the main thread, which may be blocked: nothing here waits for long, and a blocked main is asked once. */
export class ThreadLine implements MainLine {
  private readonly channel: MessagePort;
  private readonly segment: Segment;
  private readonly facts: MainFacts;
  private state: MainState | undefined;
  private readonly heard = new Waiters();
  private readonly answered = new Waiters();
  private unheardSinceMs: number | undefined;
  private askedMs: number | undefined;

  constructor(of: {
    readonly channel: MessagePort;
    readonly segment: Segment;
    readonly facts: MainFacts;
  }) {
    this.channel = of.channel;
    this.segment = of.segment;
    this.facts = of.facts;
    this.channel.on('message', (message: ToPort) => this.receive(message));
    this.channel.unref();
  }

  get latest(): MainState {
    // Before main's first word: whatever the catalog has.
    const families = () => Array.from({ length: familyCount(this.segment) }, (_, id) => id);
    return (
      this.state ?? {
        contents: { families: families(), foreign: [], defaultLabels: [] },
        facts: this.facts,
      }
    );
  }

  get unansweredMs(): number {
    const { unheardSinceMs } = this;
    if (unheardSinceMs === undefined) return 0;
    const sinceMs = performance.now() - unheardSinceMs;
    return sinceMs < HEAR_MS ? 0 : sinceMs;
  }

  async refresh(): Promise<MainState> {
    if (this.askedMs === undefined) {
      this.askedMs = performance.now();
      this.send({ kind: 'ask' });
    }
    await this.hear();
    if (this.unheardSinceMs === undefined && this.askedMs !== undefined) {
      await this.answered.wait(this.askedMs + COLLECT_MS);
    }
    return this.latest;
  }

  async ping(): Promise<void> {
    if (this.unheardSinceMs === undefined) this.send({ kind: 'ping' });
    await this.hear();
  }

  rendered(renderMs: number): void {
    this.post({ kind: 'rendered', renderMs });
  }

  listening(address: PortAddress): void {
    this.post({ kind: 'listening', address });
  }

  refused(reason: string): void {
    this.post({ kind: 'refused', reason });
  }

  /** Resolves when main's loop has turned since it was first asked, or has not within {@link HEAR_MS}. */
  private async hear(): Promise<void> {
    if (this.unheardSinceMs !== undefined) await this.heard.wait(this.unheardSinceMs + HEAR_MS);
  }

  private send(message: ToMain): void {
    this.unheardSinceMs ??= performance.now();
    this.post(message);
  }

  private post(message: ToMain): void {
    this.channel.postMessage(message);
  }

  private receive(message: ToPort): void {
    if (message.kind === 'heard') {
      this.unheardSinceMs = undefined;
      this.heard.wake();
      return;
    }
    this.state = message.state;
    // Else main has sent it by itself, perhaps before it was blocked.
    if (!message.isAnswer) return;
    this.askedMs = undefined;
    this.answered.wake();
  }
}

/** The line of a port that the main thread serves itself: whoever asks, main is at work on it. */
export class LocalLine implements MainLine {
  readonly unansweredMs = 0;
  readonly rendered: (renderMs: number) => void;
  readonly listening: (address: PortAddress) => void;
  readonly refused: (reason: string) => void;
  private readonly source: PortSource;

  constructor(source: PortSource, report: Pick<MainLine, 'listening' | 'refused'>) {
    this.source = source;
    this.rendered = (renderMs) => source.countPage(renderMs);
    this.listening = report.listening;
    this.refused = report.refused;
  }

  get latest(): MainState {
    return this.source.state();
  }

  async refresh(): Promise<MainState> {
    await this.source.collect();
    return this.source.state();
  }

  async ping(): Promise<void> {}
}

/** Those who wait for one thing. */
class Waiters {
  private readonly waiting = new Set<() => void>();

  /** Resolves at the next `wake()`, or at a time of `performance.now()`. At once where that has passed. */
  wait(deadlineMs: number): Promise<void> | undefined {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, leftMs);
      timer.unref();
      this.waiting.add(go);
    });
  }

  wake(): void {
    for (const go of [...this.waiting]) go();
  }
}
