/** Part of the scraper's time that is kept for the answer's way to it. */
const RESERVE_SHARE = 0.1;
const RESERVE_MS_MAX = 500;

/** No scraper waits longer; a header that says so must not keep timers for days. */
const TIMEOUT_MS_MAX = 10 * 60_000;

const SECONDS = /^\d{1,9}(?:\.\d{1,12})?$/;

/**
 * Time for a page before the scraper gives up: what it says, less a tenth, half a second at most.
 *
 * @param header `X-Prometheus-Scrape-Timeout-Seconds`. What is no positive decimal number counts as absent.
 * @returns Milliseconds, at least 1; `undefined` where the scraper names no time.
 */
export function scrapeTimeoutMs(header: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (!SECONDS.test(text)) return undefined;
  const wholeMs = Math.min(Number(text) * 1_000, TIMEOUT_MS_MAX);
  if (wholeMs === 0) return undefined;
  return Math.max(1, Math.floor(wholeMs - Math.min(wholeMs * RESERVE_SHARE, RESERVE_MS_MAX)));
}
