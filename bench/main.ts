import { parseArgs } from 'node:util';
import { formatMachine, stampMachine } from './harness/machine.js';
import { readmeSections, replaceBenchBlock } from './harness/readme.js';
import { LAST_RESULTS, README_RESULTS, type SuiteResult, writeResult } from './harness/result.js';
import type { Mode, Suite } from './harness/suite.js';
import { formatTable } from './harness/table.js';
import { SUITES } from './suites.js';

const HELP = `Usage: npm run bench -- [part of a suite's name …] [options]

Measures the suites whose names contain one of the parts, or all of them, which takes long.

  --list          prints the names
  --smoke         runs each once with little, to see that it works; measures nothing
  --node <path>   measures under another Node
  --write-readme  keeps the results in git and writes README.md's tables
  --help          prints this text
`;

const { values, positionals } = readArguments();

const README = new URL('../../README.md', import.meta.url);
const mode: Mode = values.smoke ? 'smoke' : 'full';
const chosen = SUITES.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);

if (values.help) {
  console.log(HELP);
} else if (values.list) {
  for (const { name } of SUITES) console.log(name);
} else if (chosen.length === 0) {
  console.error(`No suite is called ${positionals.join(' or ')}; --list names them all.`);
  process.exitCode = 1;
} else if (values.smoke && values['write-readme']) {
  console.error('--write-readme wants figures, and --smoke measures none.');
  process.exitCode = 1;
} else {
  for (const suite of chosen) await runSuite(suite);
  if (values['write-readme']) writeReadme();
}

async function runSuite(suite: Suite): Promise<void> {
  const startedMs = performance.now();
  if (mode === 'full') console.log(`\n${suite.name}: ${suite.title}`);
  const { rows, verdicts } = await suite.run({
    mode,
    nodePath: values.node,
    report: (text) => {
      if (mode === 'full') console.log(`  ${text}`);
    },
  });
  const { name, title, note } = suite;
  const machine = stampMachine(values.node);
  const result: SuiteResult = { suite: name, title, note, machine, rows, verdicts };
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (mode === 'smoke') {
    console.log(`${name}: ${rows.length} rows pass their gates, ${seconds} s`);
    return;
  }
  const path = writeResult(values['write-readme'] ? README_RESULTS : LAST_RESULTS, result);
  console.log(`\n${formatTable(rows)}\n`);
  for (const { target, measured, holds } of verdicts) {
    console.log(`  ${holds ? 'holds ' : 'MISSED'}  ${target}: ${measured}`);
  }
  console.log(`  ${formatMachine(machine)}\n  ${path} after ${seconds} s`);
}

function writeReadme(): void {
  const sections = readmeSections(SUITES);
  replaceBenchBlock(README, sections.join('\n\n'));
  console.log(`\nREADME.md has ${sections.length} tables.`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        smoke: { type: 'boolean', default: false },
        'write-readme': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        node: { type: 'string', default: process.execPath },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return process.exit(2);
  }
}
