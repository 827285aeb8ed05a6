import type { MessagePort } from 'node:worker_threads';
import type { MainFacts, MainState } from './main-state.js';
import type { PortSettings } from './port-settings.js';

/** What a thread must know to serve the off-loop port. */
export interface PortTask {
  readonly settings: PortSettings;
  /** As they were when the thread was started. */
  readonly facts: MainFacts;
  /** Its line to the main thread. */
  readonly channel: MessagePort;
}

/** Where the port is listened on. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** To main. */
export type ToMain =
  /** Is anybody there? */
  | { readonly kind: 'ping' }
  /** What is to be shown? */
  | { readonly kind: 'ask' }
  | { readonly kind: 'rendered'; readonly renderMs: number }
  | { readonly kind: 'listening'; readonly address: PortAddress }
  /** It cannot be listened on, and is tried again. */
  | { readonly kind: 'refused'; readonly reason: string };

/** To the thread. */
export type ToPort =
  /** To each ping and question, at once: main's loop turns. */
  | { readonly kind: 'heard' }
  /** To each question once collectors are done, and whenever something has changed. */
  | { readonly kind: 'state'; readonly state: MainState; readonly isAnswer: boolean };
