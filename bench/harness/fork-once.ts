import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a program in a process of its own and gives the one message that it sends.
 *
 * @throws When it ends without one.
 */
export function forkOnce<T>(of: {
  readonly programUrl: URL;
  readonly args: readonly string[];
  readonly nodePath: string;
  /** Further options of Node. */
  readonly nodeOptions?: readonly string[];
}): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(of.programUrl), of.args, {
      execPath: of.nodePath,
      execArgv: [
        '--enable-source-maps',
        '--conditions=offloop-internal',
        '--expose-gc',
        ...(of.nodeOptions ?? []),
      ],
    });
    let answer: T | undefined;
    child.on('message', (message) => {
      answer = message as T;
    });
    child.on('error', reject);
    // And not when it exits, which can become known before its message is read.
    child.on('disconnect', () => {
      if (answer === undefined)
        reject(new Error(`${of.programUrl} ${of.args.join(' ')}: no answer`));
      else resolve(answer);
    });
  });
}
