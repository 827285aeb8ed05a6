import {
  Counter,
  type CounterConfiguration,
  Histogram,
  type HistogramConfiguration,
  type OffloopOptions,
  Pipeline,
  Registry,
  Summary,
  type SummaryConfiguration,
} from '@offloop/core';
import {
  type ParsedFamily,
  type ParsedSample,
  parseExposition,
} from '../support/exposition-parser.js';

/** A pipeline and a registry of a test's own, small, with the inline engine. */
export class PipelineRig {
  readonly pipeline = new Pipeline();
  readonly registry: Registry;

  constructor(options: OffloopOptions = {}) {
    this.pipeline.configure({ ring: { capacityRecords: 1024 }, ...options });
    this.registry = new Registry(this.pipeline);
  }

  counter(config: Partial<CounterConfiguration<string>> = {}): Counter {
    return new Counter({
      name: 'test_total',
      help: 'A counter.',
      registers: [this.registry],
      ...config,
    });
  }

  histogram(config: Partial<HistogramConfiguration<string>> = {}): Histogram {
    return new Histogram({
      name: 'test_seconds',
      help: 'A histogram.',
      registers: [this.registry],
      ...config,
    });
  }

  summary(config: Partial<SummaryConfiguration<string>> = {}): Summary {
    return new Summary({
      name: 'test_seconds',
      help: 'A summary.',
      registers: [this.registry],
      ...config,
    });
  }

  /** The registry's page as an independent parser reads it. */
  async families(): Promise<ParsedFamily[]> {
    return parseExposition(await this.registry.metrics());
  }

  async samples(): Promise<ParsedSample[]> {
    return (await this.families()).flatMap(({ samples }) => [...samples]);
  }
}
