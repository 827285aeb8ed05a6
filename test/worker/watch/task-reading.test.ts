import { readlinkSync } from 'node:fs';
import { TaskFiles } from '@offloop/worker/internal/watch/task-reading.js';
import { expect } from 'chai';
import { skip } from '../../support/skip.js';

describe('TaskFiles', () => {
  it('tells what the kernel knows of a thread: that it runs, and for how long it has', function () {
    if (process.platform !== 'linux') skip(this, 'only Linux has /proc');
    const taskId = Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0]);
    const files = new TaskFiles(taskId);
    const before = files.read();
    const untilMs = performance.now() + 50;
    while (performance.now() < untilMs);
    const after = files.read();
    expect(after?.state).to.equal('R');
    expect(after?.ranMs).to.be.greaterThan(before?.ranMs as number);
    expect(new TaskFiles().read()?.ranMs).to.be.at.least(after?.ranMs as number);
    expect(after?.kernelMs).to.be.at.least(before?.kernelMs as number);
  });

  it('tells nothing of a thread that is not there, and throws nothing', () => {
    const files = new TaskFiles(0);
    expect(files.read()).to.equal(undefined);
    expect(files.readWait()).to.deep.equal({ channel: undefined, systemCall: undefined });
  });
});
