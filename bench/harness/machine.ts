import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** Where and when a result was measured: a figure without it means nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
}

/** @param nodePath Node under which the measured processes ran. */
export function stampMachine(nodePath: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${process.arch}`,
    node:
      nodePath === process.execPath
        ? process.version
        : execFileSync(nodePath, ['--version'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The stamp as one line. */
export function formatMachine(machine: Machine): string {
  const { cpu, cores, memoryGiB, system, node, date } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${date}`;
}

/** 20 of v20.19.0. */
export function nodeMajor({ node }: Machine): number {
  return Number.parseInt(node.replace('v', ''), 10);
}
