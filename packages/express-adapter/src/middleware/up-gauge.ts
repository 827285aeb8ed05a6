import { Gauge, type Registry } from '@offloop/core';

/** A gauge that says by its presence that the process is up: 1, also after a reset. */
export class UpGauge extends Gauge {
  constructor(name: string, register: Registry) {
    super({ name, help: '1 = up, 0 = not up', registers: [register] });
    this.set(1);
  }

  override reset(): void {
    super.reset();
    this.set(1);
  }
}
