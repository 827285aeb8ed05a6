// The whole middleware, as an app uses it; bench/express-adapter does the measuring.
import {
  benchMiddleware,
  FULL,
  type MiddlewareResult,
  SMOKE,
} from '../express-adapter/middleware-rounds.js';
import { nodeMajor, stampMachine } from '../harness/machine.js';
import type { Row, Verdict } from '../harness/result.js';
import { formatFigure } from '../harness/statistics.js';
import type { Suite, SuiteContext, SuiteRows } from '../harness/suite.js';

const BUNDLE = 'express-prom-bundle';

export const middleware: Suite = {
  name: 'http/middleware',
  title: "The middleware: microseconds of the main thread's CPU a request",
  note: 'Express with a JSON route below a router. Each contender has a process of its own, in which it is taken out and put back round by round, all in turn; `added` is the median difference, of five processes the median one. An empty layer costs what Express takes to call any middleware.',
  isForReadme: true,
  run: measureMiddleware,
};

async function measureMiddleware({ mode, nodePath, report }: SuiteContext): Promise<SuiteRows> {
  if (mode === 'full') report('takes five minutes or more');
  const results = await benchMiddleware(mode === 'smoke' ? SMOKE : FULL, nodePath);
  return {
    rows: results.map((result) => toRow(result, results)),
    verdicts: mode === 'full' ? verdictsOf(results, nodePath) : [],
  };
}

function toRow(result: MiddlewareResult, results: readonly MiddlewareResult[]): Row {
  const { express, contender, cpuUs, addedUs } = result;
  return {
    name: `${express} / ${contender}`,
    cells: {
      'µs a request': formatFigure(cpuUs),
      added: formatFigure(addedUs),
      [`of ${BUNDLE}'s`]: `${formatFigure(100 * shareOf(result, results))} %`,
    },
  };
}

/** Of what express-prom-bundle adds. */
function shareOf(result: MiddlewareResult, results: readonly MiddlewareResult[]): number {
  const bundle = results.find(
    ({ express, contender }) => express === result.express && contender === BUNDLE,
  );
  return result.addedUs / (bundle?.addedUs ?? Number.NaN);
}

/** Node 20 spends several times as long on a request, and its noise is larger than the microsecond. */
function verdictsOf(results: readonly MiddlewareResult[], nodePath: string): Verdict[] {
  const isNode20 = nodeMajor(stampMachine(nodePath)) === 20;
  const shareMax = isNode20 ? 1 / 5 : 1 / 10;
  return results
    .filter(({ contender }) => contender === 'offloop')
    .map((result) => {
      const share = shareOf(result, results);
      return {
        target: `${result.express}: ${isNode20 ? '' : 'at most 1 µs and '}${100 * shareMax} % of what ${BUNDLE} adds`,
        measured: `${formatFigure(result.addedUs)} µs, ${formatFigure(100 * share)} %`,
        holds: share <= shareMax && (isNode20 || result.addedUs <= 1),
      };
    });
}
