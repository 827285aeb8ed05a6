// Asks for a page as often as its parent wants, as a scraper does: over HTTP, and from a process of its own.
import { request } from 'node:http';

/** Where the page is. */
export interface Asked {
  readonly port: number;
}

/** What came. */
export interface Received {
  readonly bytes: number;
}

process.on('message', ({ port }: Asked) => {
  const asked = request({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
    let bytes = 0;
    response.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    response.on('end', () => process.send?.({ bytes } satisfies Received));
  });
  asked.end();
});
process.on('disconnect', () => process.exit());
