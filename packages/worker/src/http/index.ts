export { requiredThreadPath } from '../engine/thread-path.js';
export type { MainFacts, MainState, PortSource } from '../port/main-state.js';
export { OffLoopPort, type OffLoopPortOptions } from '../port/off-loop-port.js';
export { AddressList, isLoopback } from './address-list.js';
export {
  asksForCredentials,
  type CredentialDigests,
  challenges,
  digestsOf,
  holdsCredentials,
} from './credentials.js';
export {
  answer,
  answerJson,
  answerText,
  answerUnavailable,
  isRead,
  pathOf,
  type RoutedMessage,
} from './http-answer.js';
export { type PageSource, scrape } from './scrape.js';
