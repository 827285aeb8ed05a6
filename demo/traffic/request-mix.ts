/** One request to send. */
export interface PlannedRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly path: string;
  readonly body?: string;
}

interface Share {
  /** Requests of this kind among as many as all weights together. */
  readonly weight: number;
  readonly make: () => PlannedRequest;
}

/** What clients ask of the app. At 300 requests a second a blocking one comes about every 3 seconds. */
const SHARES: readonly Share[] = [
  { weight: 250, make: () => get('/status') },
  { weight: 150, make: () => get('/todays-games') },
  { weight: 150, make: () => get(`/teams/${upTo(40)}/players/${upTo(25)}`) },
  { weight: 120, make: () => get(`/model/${oneOf(['llama3', 'mistral', 'phi3'])}/health`) },
  { weight: 80, make: () => get('/version') },
  { weight: 60, make: () => get(`/teams/${upTo(40)}`) },
  { weight: 50, make: () => get('/system') },
  { weight: 50, make: () => get('/circuit-breaker/ollama') },
  { weight: 40, make: () => get('/flaky') },
  { weight: 15, make: addPlayer },
  { weight: 10, make: () => get('/slow') },
  { weight: 10, make: () => get(`/nowhere/${upTo(1_000_000)}`) },
  { weight: 5, make: () => get(`/teams/${upTo(40)}/players/999`) },
  { weight: 5, make: () => ({ method: 'HEAD', path: '/status' }) },
  { weight: 3, make: () => get('/model/unknown/health') },
  // Cannot be decoded, which Express answers with 400.
  { weight: 1, make: () => get('/model/%E0%A4%A/health') },
  { weight: 1, make: () => get('/blocking') },
];

const WEIGHT_SUM = SHARES.reduce((sum, { weight }) => sum + weight, 0);

/** The next request, drawn by weight. */
export function drawRequest(): PlannedRequest {
  let left = Math.random() * WEIGHT_SUM;
  const drawn = SHARES.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  // Rounding may leave a hair's breadth behind the last share.
  return drawn?.make() ?? get('/status');
}

function get(path: string): PlannedRequest {
  return { method: 'GET', path };
}

function addPlayer(): PlannedRequest {
  const body = JSON.stringify({ name: `player ${upTo(1_000)}` });
  return { method: 'POST', path: `/teams/${upTo(40)}/players`, body };
}

function upTo(maximum: number): number {
  return 1 + Math.floor(Math.random() * maximum);
}

function oneOf(values: readonly string[]): string {
  return values[Math.floor(Math.random() * values.length)] ?? '';
}
