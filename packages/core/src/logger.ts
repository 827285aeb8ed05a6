/** Where offloop reports what an operator should know; pino's loggers fit. */
export interface Logger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** What has become good again. */
  info?(details: object, message: string): void;
}

/** The logger of those who give none: process warnings, which Node prints once and an application can listen for. */
export const processWarnings: Logger = { warn: emitWarning, error: emitWarning };

/** Hands each line on to the logger that an application has chosen by then; `undefined` and `''` stand for process warnings. */
export function chosenLogger(choice: () => Logger | '' | undefined): Logger {
  const chosen = (): Logger => choice() || processWarnings;
  return {
    warn: (details, message) => chosen().warn(details, message),
    error: (details, message) => chosen().error(details, message),
    info: (details, message) => chosen().info?.(details, message),
  };
}

function emitWarning(details: object, message: string): void {
  const { code } = details as { readonly code?: string };
  process.emitWarning(message, {
    type: 'OffloopWarning',
    ...(code === undefined ? {} : { code }),
  });
}
