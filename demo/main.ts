import { HELP, readArguments } from './arguments.js';
import { runDemo } from './run-demo.js';

/** What a shell calls wrong usage. */
const EXIT_USAGE = 2;

const read = readArguments(process.argv.slice(2));
switch (read.kind) {
  case 'help':
    process.stdout.write(HELP);
    break;
  case 'refused':
    process.stderr.write(`${read.reason}\n\n${HELP}`);
    process.exitCode = EXIT_USAGE;
    break;
  case 'run':
    // Set, and not passed to process.exit(): the process has to end by itself, which shows that nothing was left behind.
    process.exitCode = await runDemo(read.choice);
    break;
}
