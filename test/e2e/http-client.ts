import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Question {
  readonly port: number;
  /** Sent as it is. */
  readonly path: string;
  readonly method?: string;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request to loopback and reads the answer to its end. Without an agent, on a connection of its own. */
export function ask({ port, path, method = 'GET', agent }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, agent: agent ?? false },
      (response) => {
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (text: string) => {
            body += text;
          })
          .on('end', () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
          })
          .on('error', reject);
      },
    );
    sent.on('error', reject).end();
  });
}
