import { Pipeline, Registry } from '@offloop/core';
import type { InlineEngine } from '@offloop/core/engine';

/** A registry with a pipeline of its own, drained between the timed runs. */
export class HookRig {
  readonly register: Registry;
  private readonly pipeline = new Pipeline();

  constructor() {
    this.pipeline.configure({ engine: 'inline' });
    this.register = new Registry(this.pipeline);
  }

  /** Empties the ring. */
  readonly drain = (): void => {
    const { producer, engine } = this.pipeline;
    producer.recorder.publish();
    (engine as InlineEngine).drainNow();
  };

  /** No row may be fast because it dropped what it was given. */
  readonly refuseDrops = (): void => {
    this.drain();
    const { droppedRecords } = this.pipeline.totals();
    if (droppedRecords !== 0) throw new Error(`${droppedRecords} records dropped`);
  };

  /** Total of a counter, over all its series. */
  async total(name: string): Promise<number> {
    this.drain();
    const metric = this.register.getSingleMetric(name);
    const values = (await metric?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  }
}
