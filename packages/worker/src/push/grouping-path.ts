import { OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/engine';

/** Labels of a push's group, beside the job. One that is `undefined` is left out. */
export type Groupings = Readonly<Record<string, string | number | undefined>>;

/**
 * Path of a group of metrics at a Pushgateway, below its base: `/metrics/job/<job>/<label>/<value>…`
 *
 * A value that a segment of a path cannot carry goes as the gateway's base64 form: the empty one, one with a slash, which the gateway
 * decodes before it takes the path apart, and `.` and `..`, which every URL parser takes for steps.
 *
 * @param job Without one, the path has no group at all: for gateways that keep none.
 * @throws {OffloopError} `OFFLOOP_ERR_ARGUMENT` for a label that would change the path.
 * @see https://github.com/prometheus/pushgateway#url
 */
export function groupingPath(job: string | undefined, groupings: Groupings = {}): string {
  if (job === undefined || job === '') return '/metrics';
  const pairs = Object.entries(groupings).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return ['/metrics', ...[['job', job] as const, ...pairs].flatMap(pathSegments)].join('/');
}

const BASE64 = '@base64';

function isSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !text.includes('/');
}

function pathSegments([label, value]: readonly [string, unknown]): readonly string[] {
  // A lone surrogate has no form in a URL.
  const text = String(value).toWellFormed();
  const name = encodeURIComponent(label.toWellFormed());
  // Only what would make another path of it; what a label may be called is the gateway's to say.
  if (!isSegment(label) || label.endsWith(BASE64)) {
    throw new OffloopError(
      'OFFLOOP_ERR_ARGUMENT',
      `groupings must have label names, got ${showValue(label)}`,
    );
  }
  if (isSegment(text)) return [name, encodeURIComponent(text)];
  // The gateway wants one character at least, and takes padding for none.
  return [`${name}${BASE64}`, text === '' ? '=' : Buffer.from(text).toString('base64url')];
}
