import { causeOf } from '@offloop/worker/internal/watch/stall-cause.js';
import type { TaskReading, TaskWait } from '@offloop/worker/internal/watch/task-reading.js';
import { expect } from 'chai';

const BEFORE: TaskReading = { state: 'S', ranMs: 100, kernelMs: 10, queuedMs: 5 };

function cause(
  more: Partial<TaskReading>,
  {
    before = BEFORE as TaskReading | undefined,
    wait = {} as TaskWait | undefined,
    wasPaused = false,
    architecture = 'x64',
  } = {},
) {
  const after = { ...BEFORE, ...more };
  const time = { before, after, lengthMs: 100, wasPaused };
  return causeOf(
    { ...time, ...(wait === undefined ? {} : { readWait: () => wait }) },
    architecture,
  );
}

describe('causeOf', () => {
  it('is the processor where half of the time was spent on it', () => {
    expect(cause({ ranMs: 150 })).to.equal('javascript');
    expect(cause({ ranMs: 149, state: 'R' })).to.equal('starved');
  });

  it('is a system call where more than half of that was in the kernel', () => {
    expect(cause({ ranMs: 200, kernelMs: 70 })).to.equal('system_call');
    expect(cause({ ranMs: 200, kernelMs: 60 })).to.equal('javascript');
  });

  it('is starvation where half of the time was spent in the queue, or it would run and did not', () => {
    expect(cause({ queuedMs: 55 })).to.equal('starved');
    expect(cause({ state: 'R' })).to.equal('starved');
    expect(cause({ state: 'R', queuedMs: undefined })).to.equal('starved');
  });

  it('is the processor for a thread of which nothing else is known than that it runs', () => {
    const before = undefined as TaskReading | undefined;
    expect(
      causeOf({
        before,
        after: { ...BEFORE, state: 'R' },
        lengthMs: 100,
        wasPaused: false,
        readWait: () => ({}),
      }),
    ).to.equal('javascript');
  });

  it('is a pause where the watcher stood still as well, or the thread is stopped', () => {
    expect(cause({}, { wasPaused: true })).to.equal('paused');
    for (const state of ['T', 't']) expect(cause({ state })).to.equal('paused');
    expect(cause({ ranMs: 200 }, { wasPaused: true })).to.equal('javascript');
  });

  it('is waiting in a futex, by the name of where it sleeps, or by the number of the call', () => {
    expect(cause({}, { wait: { channel: 'futex_do_wait', systemCall: 0 } })).to.equal('waiting');
    expect(cause({}, { wait: { channel: 'ep_poll', systemCall: 202 } })).to.equal('system_call');
    expect(cause({}, { wait: { systemCall: 202 } })).to.equal('waiting');
    expect(cause({}, { wait: { systemCall: 98 }, architecture: 'arm64' })).to.equal('waiting');
    expect(cause({}, { wait: { systemCall: 98 } })).to.equal('system_call');
    expect(cause({}, { wait: { systemCall: 202 }, architecture: 'new' })).to.equal('system_call');
  });

  it('is a system call for any other sleep', () => {
    expect(cause({})).to.equal('system_call');
    expect(cause({ state: 'D' })).to.equal('system_call');
  });

  it('is unknown where the time is over and left no trace', () => {
    const after = { ...BEFORE };
    expect(causeOf({ before: BEFORE, after, lengthMs: 100, wasPaused: false })).to.equal('unknown');
    expect(
      causeOf({ before: BEFORE, after: { ...after, ranMs: 200 }, lengthMs: 100, wasPaused: false }),
    ).to.equal('javascript');
  });
});
