import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Application } from 'express5';

const tierOf = (request: { readonly method: string }) => ({ tier: request.method });

/** Options as the packages' own documentation has them. */
export const PEER_EXAMPLES = {
  promster: [
    {},
    {
      labels: ['tier'],
      getLabelValues: tierOf,
      metricPrefix: 'shop_',
      metricTypes: [
        'httpRequestsTotal',
        'httpRequestsHistogram',
        'httpRequestsSummary',
        'httpContentLengthHistogram',
      ],
      metricNames: { up: ['service_up'], httpRequestsTotal: ['requests_total', 'calls_total'] },
      metricBuckets: { httpRequestDurationInSeconds: [0.01, 0.1, 1] },
      metricPercentiles: { httpRequestDurationPerPercentileInSeconds: [0.5, 0.99] },
      normalizeStatusCode: (status: number) => `${Math.floor(status / 100)}xx`,
    },
  ],
  'prometheus-api-metrics': [
    {},
    {
      metricsPrefix: 'shop',
      durationBuckets: [0.1, 1],
      requestSizeBuckets: [1, 10],
      responseSizeBuckets: [10, 100, 1000],
      includeQueryParams: true,
      additionalLabels: ['tier'],
      extractAdditionalLabelValuesFn: tierOf,
      excludeRoutes: ['/:id/secret'],
    },
  ],
} as const;

/** Routes that take and give something, so that sizes are not empty. */
export function addRoutes(app: Pick<Application, 'post'>): void {
  app.post('/foo/:id', (_request, response) => void response.send('foo'));
  app.post('/foo/:id/secret', (_request, response) => void response.send('secret'));
  app.post('/bar', (_request, response) => void response.status(201).send('bar'));
}

export async function sendRequests(port: number): Promise<void> {
  for (const path of ['/foo/1234', '/foo/5432?b=1&a=2', '/foo/1/secret', '/bar']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x' });
    await response.text();
  }
}

/** At least once, by force. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
