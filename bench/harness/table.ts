import { formatMachine, nodeMajor } from './machine.js';
import { type Row, resultFile, type SuiteResult } from './result.js';

/** Rows as a Markdown table whose columns are aligned, so that it reads well in a terminal, too. */
export function formatTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  const lines = [
    ['', ...columns],
    ...rows.map(({ name, cells }) => [name, ...columns.map((column) => cells[column] ?? '')]),
  ];
  const widths = ['', ...columns].map((_, index) =>
    Math.max(3, ...lines.map((line) => line[index]?.length ?? 0)),
  );
  const [head = '', ...body] = lines.map((line) => formatLine(line, widths));
  const rule = widths.map((width, index) =>
    index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, formatLine(rule, widths), ...body].join('\n');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
  );
  return `| ${padded.join(' | ')} |`;
}

/** A result as a section of Markdown that names the file it came from. */
export function formatSection(result: SuiteResult): string {
  return [
    `### ${result.title}, Node ${nodeMajor(result.machine)}`,
    '',
    result.note,
    '',
    formatTable(result.rows),
    '',
    `<sub>bench/results/${resultFile(result)}: ${formatMachine(result.machine)}</sub>`,
  ].join('\n');
}
