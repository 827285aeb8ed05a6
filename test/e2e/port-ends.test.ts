import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useProcesses } from '../support/processes.js';

describe('a process with the off-loop port on', function () {
  this.timeout(60_000);
  const start = useProcesses();

  for (const engine of ['pool', 'inline']) {
    for (const [way, exitCode, signal] of [
      ['natural end', 0, null],
      ['exit', 7, null],
      ['throw', 1, null],
      ['reject', 1, null],
      ['SIGTERM', null, 'SIGTERM'],
    ] as const) {
      it(`ends as it would without: ${way}, with the engine ${engine}`, async () => {
        const path = fileURLToPath(new URL('./programs/ends-with-a-port.js', import.meta.url));
        const args = ['--conditions=offloop-internal', path, engine, way];
        const running = start(process.execPath, args);
        await running.waitForOutput(/done/, 30_000);
        const end = await running.waitForEnd(5_000);
        expect(end).to.deep.include({ exitCode, signal });
      });
    }
  }
});
