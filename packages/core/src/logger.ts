import { type OffloopErrorCode, stackOf } from './errors.js';

/** Where offloop reports what an operator should know; pino's loggers fit. */
export interface Logger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** What has become good again. */
  info?(details: object, message: string): void;
}

/** The logger of those who give none: process warnings, which Node prints once and an application can listen for. */
export const processWarnings: Logger = { warn: emitWarning, error: emitWarning };

/**
 * Hands each line on to the logger that an application has chosen by then; `undefined` and `''` stand for process warnings. Never throws: what a
 * logger of the application's fails to take becomes a process warning as well.
 */
export function chosenLogger(choice: () => Logger | '' | undefined): Required<Logger> {
  const hand =
    (level: keyof Logger) =>
    (details: object, message: string): void => {
      const give = async (logger: Logger): Promise<void> => logger[level]?.(details, message);
      // Asynchronous for what it throws and what it rejects with alike; it is called at once all the same.
      give(choice() || processWarnings)
        .catch(() => processWarnings.warn(details, message))
        // Nobody is left to tell.
        .catch(() => {});
    };
  return { warn: hand('warn'), error: hand('error'), info: hand('info') };
}

/** What failed there is the application's, and its stack says where. */
const APPLICATION_CODES: ReadonlySet<string | undefined> = new Set<OffloopErrorCode>([
  'OFFLOOP_ERR_COLLECT',
  'OFFLOOP_ERR_HEALTH_CHANGE',
]);

function emitWarning(details: object, message: string): void {
  const { code, err } = details as { readonly code?: string; readonly err?: unknown };
  const stack = APPLICATION_CODES.has(code) ? stackOf(err) : undefined;
  process.emitWarning(message, {
    type: 'OffloopWarning',
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { detail: stack }),
  });
}
