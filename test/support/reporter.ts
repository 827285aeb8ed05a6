import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { skipReason } from './skip.js';

const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END } = Mocha.Runner.constants;
const { EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/**
 * Prints each test as it ends, then the failures with their stacks, then the skipped tests with their reasons.
 *
 * The totals go to the file that `OFFLOOP_TEST_RESULT` names, after every test: scripts/test.mjs prints them as the last
 * line, also when this process did not live to see the end.
 */
export class ProgressReporter extends Mocha.reporters.Base {
  readonly #resultPath = process.env['OFFLOOP_TEST_RESULT'];
  readonly #failed: Mocha.Test[] = [];
  readonly #skipped: Mocha.Test[] = [];
  #passedCount = 0;
  #depth = 0;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner
      .on(EVENT_SUITE_BEGIN, (suite) => {
        if (suite.root) return;
        this.#print(suite.title);
        this.#depth += 1;
      })
      .on(EVENT_SUITE_END, () => {
        this.#depth = Math.max(0, this.#depth - 1);
      })
      .on(EVENT_TEST_PASS, (test) => {
        this.#passedCount += 1;
        const isSlow = test.speed === 'slow' && test.duration !== undefined;
        this.#print(`✓ ${test.title}${isSlow ? ` (${test.duration} ms)` : ''}`);
        this.#save(false);
      })
      .on(EVENT_TEST_FAIL, (test) => {
        this.#failed.push(test);
        this.#print(`✗ ${this.#failed.length}) ${test.title}`);
        this.#save(false);
      })
      .on(EVENT_TEST_PENDING, (test) => {
        this.#skipped.push(test);
        this.#print(`- ${test.title}`);
        this.#save(false);
      })
      .once(EVENT_RUN_END, () => this.#finish());
    this.#save(false);
  }

  #finish(): void {
    if (this.#failed.length > 0) Mocha.reporters.Base.list(this.#failed);
    if (this.#skipped.length > 0) console.log('\nSkipped:');
    for (const test of this.#skipped) console.log(`  ${test.fullTitle()}: ${skipReason(test)}`);
    this.#save(true);
  }

  #print(text: string): void {
    console.log(`${'  '.repeat(this.#depth + 1)}${text}`);
  }

  #save(isFinished: boolean): void {
    if (this.#resultPath === undefined) return;
    const result = {
      passedCount: this.#passedCount,
      failedCount: this.#failed.length,
      skippedCount: this.#skipped.length,
      isFinished,
    };
    writeFileSync(this.#resultPath, JSON.stringify(result));
  }
}
