// Asks for a page as often as its parent wants, as a scraper does: over HTTP, and from a process of its own.
import { connect } from 'node:net';

/** Where the page is. */
export interface Asked {
  readonly port: number;
}

/** What came. */
export interface Received {
  readonly bytes: number;
}

/** Reads into the same memory again and again: the less it takes of the processor, the less it disturbs what is measured. */
const buffer = new Uint8Array(256 * 1024);

process.on('message', ({ port }: Asked) => {
  let bytes = 0;
  const socket = connect({
    host: '127.0.0.1',
    port,
    onread: {
      buffer,
      callback: (count) => {
        bytes += count;
        return true;
      },
    },
  });
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  socket.on('end', () => process.send?.({ bytes } satisfies Received));
});
process.on('disconnect', () => process.exit());
