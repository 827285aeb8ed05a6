import type { Bench } from './bench.js';
import { Contender } from './contender.js';
import type { Row, Verdict } from './result.js';
import { runRound } from './round.js';
import { formatFigure, median } from './statistics.js';
import type { Suite, SuiteContext, SuiteRows } from './suite.js';

/** What a table of alternating benches is made of. */
export interface AlternatingSuite extends Omit<Suite, 'run'> {
  /** `import.meta.url` of the module, which exports the benches as `benches`, too: each process loads it. */
  readonly moduleUrl: string;
  readonly benches: readonly Bench[];
  readonly unit: Unit;
  readonly comparisons?: readonly Comparison[];
  /** Heading of the comparisons' column. */
  readonly comparedWith?: string;
  readonly floors?: readonly Floor[];
  readonly ceilings?: readonly Ceiling[];
  /** Heading `added`: what a row takes beyond another. */
  readonly surcharges?: readonly Surcharge[];
}

/** What the table shows of the nanoseconds that an operation takes. */
export interface Unit {
  readonly name: string;
  readonly fromNs: (ns: number) => number;
}

export const NANOSECONDS: Unit = { name: 'ns', fromNs: (ns) => ns };
export const MILLISECONDS: Unit = { name: 'ms', fromNs: (ns) => ns / 1e6 };
export const MILLION_A_SECOND: Unit = { name: 'million/s', fromNs: (ns) => 1000 / ns };

/** How many times as fast as another row a row is. */
export interface Comparison {
  readonly row: string;
  readonly versus: string;
  /** The target, where there is one. */
  readonly atLeast?: number;
}

/** A target in the table's unit. */
export interface Floor {
  readonly row: string;
  readonly atLeast: number;
}

/** The same for what must stay below it. */
export interface Ceiling {
  readonly row: string;
  readonly atMost: number;
}

/** What a row may take beyond another one, in the table's unit. */
export interface Surcharge {
  readonly row: string;
  readonly over: string;
  readonly atMost: number;
}

/** Fresh processes a pass: one process can be a little faster than its twin for all its life. */
const PASSES = 3;
const ROUNDS = 5;

/** Nanoseconds an operation took, by bench and round. */
type Rounds = ReadonlyMap<string, number[]>;

/** Makes a suite of benches that take turns, round by round, each in a process of its own. */
export function alternatingSuite(of: AlternatingSuite): Suite {
  const { name, title, note, isForReadme } = of;
  return {
    name,
    title,
    note,
    isForReadme,
    run: (context) => (context.mode === 'smoke' ? runOnce(of, context) : runTurns(of, context)),
  };
}

/** Measures nothing, so all but the first, which shows that a process can be had, share this one. */
async function runOnce(of: AlternatingSuite, context: SuiteContext): Promise<SuiteRows> {
  const rounds: Rounds = new Map(of.benches.map(({ name }) => [name, []]));
  const [first, ...others] = of.benches;
  if (first !== undefined) await runPass(of, { context, benches: [first], roundCount: 1, rounds });
  for (const bench of others) {
    const subject = await bench.open('smoke');
    await subject.check();
    rounds.get(bench.name)?.push(await runRound(bench, subject, bench.size.smoke));
    await subject.finish?.();
  }
  return { rows: of.benches.map(({ name }) => toRow(of, name, rounds)), verdicts: [] };
}

async function runTurns(of: AlternatingSuite, context: SuiteContext): Promise<SuiteRows> {
  const { benches } = of;
  const rounds: Rounds = new Map(benches.map(({ name }) => [name, []]));
  for (let pass = 0; pass < PASSES; pass += 1) {
    context.report(`pass ${pass + 1} of ${PASSES}`);
    await runPass(of, { context, benches, roundCount: ROUNDS, rounds });
  }
  const rows = benches.map(({ name }) => toRow(of, name, rounds));
  return { rows, verdicts: verdictsOf(of, rounds) };
}

async function runPass(
  of: AlternatingSuite,
  pass: {
    readonly context: SuiteContext;
    readonly benches: readonly Bench[];
    readonly roundCount: number;
    readonly rounds: Rounds;
  },
): Promise<void> {
  const { moduleUrl } = of;
  const { mode, nodePath } = pass.context;
  const contenders: Contender[] = [];
  try {
    for (const bench of pass.benches) {
      const contender = new Contender({ bench, moduleUrl, mode, nodePath });
      contenders.push(contender);
      // One after the other, so that no bench warms up against another.
      await contender.open();
    }
    for (let round = 0; round < pass.roundCount; round += 1) {
      // Another one begins each time: what the machine does meanwhile hits all of them alike.
      for (let turn = 0; turn < contenders.length; turn += 1) {
        const contender = contenders[(round + turn) % contenders.length];
        if (contender === undefined) continue;
        pass.rounds.get(contender.bench.name)?.push(await contender.measure());
      }
    }
    for (const contender of contenders) await contender.finish();
  } finally {
    for (const contender of contenders) contender.close();
  }
}

function toRow(of: AlternatingSuite, name: string, rounds: Rounds): Row {
  const { unit, comparisons = [], comparedWith = '', surcharges = [] } = of;
  const ns = rounds.get(name) ?? [];
  const cells: Record<string, string> = {
    [`${unit.name}, median`]: formatFigure(unit.fromNs(median(ns))),
    best: formatFigure(unit.fromNs(Math.min(...ns))),
  };
  if (comparisons.length > 0) {
    const comparison = comparisons.find(({ row }) => row === name);
    cells[comparedWith] =
      comparison === undefined ? '' : `${formatFigure(ratioOf(comparison, rounds))} ×`;
  }
  if (surcharges.length > 0) {
    const surcharge = surcharges.find(({ row }) => row === name);
    cells['added'] =
      surcharge === undefined ? '' : formatFigure(unit.fromNs(addedNs(surcharge, rounds)));
  }
  return { name, cells, rounds: ns.map(unit.fromNs) };
}

function verdictsOf(of: AlternatingSuite, rounds: Rounds): Verdict[] {
  const { unit, comparisons = [], floors = [], ceilings = [], surcharges = [] } = of;
  const verdicts: Verdict[] = [];
  for (const comparison of comparisons) {
    const { row, versus, atLeast } = comparison;
    if (atLeast === undefined) continue;
    const ratio = ratioOf(comparison, rounds);
    verdicts.push({
      target: `${row}: at least ${atLeast} times as fast as ${versus}`,
      measured: `${formatFigure(ratio)} times`,
      holds: ratio >= atLeast,
    });
  }
  const judge = (row: string, rule: string, holds: (measured: number) => boolean): void => {
    const ns = rounds.get(row) ?? [];
    const measured = unit.fromNs(median(ns));
    const best = unit.fromNs(Math.min(...ns));
    verdicts.push({
      target: `${row}: ${rule} ${unit.name}`,
      measured: `${formatFigure(measured)} ${unit.name}, ${formatFigure(best)} at best`,
      holds: holds(measured),
    });
  };
  for (const { row, atLeast } of floors)
    judge(row, `at least ${atLeast}`, (measured) => measured >= atLeast);
  for (const { row, atMost } of ceilings)
    judge(row, `at most ${atMost}`, (measured) => measured <= atMost);
  for (const surcharge of surcharges) {
    const { row, over, atMost } = surcharge;
    const added = unit.fromNs(addedNs(surcharge, rounds));
    verdicts.push({
      target: `${row}: at most ${atMost} ${unit.name} over ${over}`,
      measured: `${formatFigure(added)} ${unit.name}`,
      holds: added <= atMost,
    });
  }
  return verdicts;
}

/** Median of the rounds' own differences, for the same reason as of the ratios. */
function addedNs({ row, over }: Surcharge, rounds: Rounds): number {
  const own = rounds.get(row) ?? [];
  const other = rounds.get(over) ?? [];
  return median(own.map((ns, round) => ns - (other[round] ?? Number.NaN)));
}

/** Median of the rounds' own ratios: what slows the machine for a moment slows both, as they take turns. */
function ratioOf(comparison: Comparison, rounds: Rounds): number {
  const own = rounds.get(comparison.row) ?? [];
  const other = rounds.get(comparison.versus) ?? [];
  return median(own.map((ns, round) => (other[round] ?? Number.NaN) / ns));
}
