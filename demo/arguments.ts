import { parseArgs } from 'node:util';
import { isPreset, PRESETS, type Preset } from './presets.js';

/** What a person chose on the command line. */
export interface DemoChoice {
  /** Seconds after which the demo ends by itself; `undefined` leaves that to Ctrl-C. */
  readonly seconds: number | undefined;
  /** Requests that the traffic process sends in a second; 0 starts none, so that somebody else may send them. */
  readonly rate: number;
  /** TCP port on 127.0.0.1; 0 takes one that is free. */
  readonly port: number;
  /** The package under whose metric names the app is measured; `undefined` for offloop's own. */
  readonly preset: Preset | undefined;
}

/** What the arguments ask for: a run, the help text, or neither, and why. */
export type Arguments =
  | { readonly kind: 'run'; readonly choice: DemoChoice }
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly reason: string };

/** A day: whoever wants more wants no end. */
const SECONDS_MAX = 86_400;
/** What one traffic process sends without getting late on an old laptop. */
const RATE_MAX = 5_000;
const RATE_DEFAULT = 300;
const PORT_MAX = 65_535;

export const HELP = `Usage: npm run demo -- [options]

Starts an Express app that offloop measures, and a second process that sends it requests over loopback.

  --seconds <n>  ends after n seconds, at most ${SECONDS_MAX}; without it, at Ctrl-C
  --rate <n>     sends n requests a second, at most ${RATE_MAX}; 0 sends none; default ${RATE_DEFAULT}
  --port <n>     listens on port n of 127.0.0.1; default 0, which takes a free one
  --preset <p>   names metrics and labels as another package does: ${PRESETS.join(', ')}
  --help         prints this text
`;

/** Reads the arguments that follow the program's name. Never throws: what cannot be read is refused with a reason. */
export function readArguments(args: readonly string[]): Arguments {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
  if (values.help === true) return { kind: 'help' };
  const seconds = values.seconds === undefined ? undefined : toNumber(values.seconds);
  if (seconds !== undefined && !(seconds > 0 && seconds <= SECONDS_MAX)) {
    return refused('--seconds', `a number above 0 and at most ${SECONDS_MAX}`, values.seconds);
  }
  const rate = values.rate === undefined ? RATE_DEFAULT : toNumber(values.rate);
  if (!isWholeNumberUpTo(RATE_MAX, rate)) {
    return refused('--rate', `a whole number in [0, ${RATE_MAX}]`, values.rate);
  }
  const port = values.port === undefined ? 0 : toNumber(values.port);
  if (!isWholeNumberUpTo(PORT_MAX, port)) {
    return refused('--port', `a whole number in [0, ${PORT_MAX}]`, values.port);
  }
  const { preset } = values;
  if (preset !== undefined && !isPreset(preset)) {
    return refused('--preset', `one of ${PRESETS.join(', ')}`, preset);
  }
  return { kind: 'run', choice: { seconds, rate, port, preset } };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      seconds: { type: 'string' },
      rate: { type: 'string' },
      port: { type: 'string' },
      preset: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

/** `Number('')` is 0, which nobody has asked for by leaving a value out. */
function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function isWholeNumberUpTo(maximum: number, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}

function refused(option: string, rule: string, value: string | undefined): Arguments {
  return { kind: 'refused', reason: `${option} must be ${rule}, got ${JSON.stringify(value)}` };
}
