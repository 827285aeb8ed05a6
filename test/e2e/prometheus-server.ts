import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import type { RunningProcess, StartProcess } from '../support/processes.js';
import { eventually } from './eventually.js';
import { ask } from './http-client.js';

const SCRAPE_INTERVAL_SECONDS = 1;

/** One series of an instant query. */
export interface QueriedSample {
  /** Without those that Prometheus adds: `__name__`, `instance`, `job`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Target {
  readonly health: string;
  readonly lastError: string;
}

/** A Prometheus on loopback with a folder of its own, which scrapes one port every second. */
export class PrometheusServer {
  readonly #port: number;
  readonly #process: RunningProcess;

  private constructor(port: number, process: RunningProcess) {
    this.#port = port;
    this.#process = process;
  }

  /** Resolves when it is ready. The suite that owns `startProcess` ends it. */
  static async start(of: {
    readonly program: string;
    readonly startProcess: StartProcess;
    readonly folder: string;
    readonly scrapedPort: number;
    readonly metricsPath?: string;
    /** Beside those that every test needs. */
    readonly flags?: readonly string[];
  }): Promise<PrometheusServer> {
    const { program, startProcess, folder, scrapedPort, metricsPath = '/metrics', flags = [] } = of;
    const configPath = join(folder, 'prometheus.yml');
    const dataPath = join(folder, 'data');
    mkdirSync(dataPath);
    writeFileSync(configPath, configuration(scrapedPort, metricsPath));
    const port = await freePort();
    const server = new PrometheusServer(
      port,
      startProcess(program, [
        `--config.file=${configPath}`,
        `--storage.tsdb.path=${dataPath}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
        ...flags,
      ]),
    );
    await eventually(() => server.#isReady(), { what: 'a Prometheus that is ready' });
    return server;
  }

  /** The one target as `/api/v1/targets` shows it. */
  async target(): Promise<Target | undefined> {
    const { activeTargets } = (await this.#get('/api/v1/targets')) as {
      activeTargets: readonly Target[];
    };
    return activeTargets[0];
  }

  /** Runs a PromQL query as of now. */
  async query(expression: string): Promise<QueriedSample[]> {
    const { result } = (await this.#get(
      `/api/v1/query?query=${encodeURIComponent(expression)}`,
    )) as {
      result: readonly { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => {
      const { __name__, instance, job, ...labels } = metric;
      return { labels, value: Number(value[1]) };
    });
  }

  /** Ends this one process, by its id. */
  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM');
  }

  async #isReady(): Promise<true | undefined> {
    const { status } = await ask({ port: this.#port, path: '/-/ready' });
    return status === 200 ? true : undefined;
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await ask({ port: this.#port, path });
    if (status !== 200) throw new Error(`Prometheus answers ${status} to ${path}: ${body}`);
    return JSON.parse(body).data;
  }
}

function configuration(scrapedPort: number, metricsPath: string): string {
  return `
global:
  scrape_interval: ${SCRAPE_INTERVAL_SECONDS}s
  scrape_timeout: ${SCRAPE_INTERVAL_SECONDS}s
scrape_configs:
  - job_name: offloop
    metrics_path: ${metricsPath}
    static_configs:
      - targets: ['127.0.0.1:${scrapedPort}']
`;
}
