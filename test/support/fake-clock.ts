/** The application's clock as fake timers put it in: `performance.now()` says what a test wants. */
export class FakeClock {
  nowMs = 0;

  install(): void {
    this.nowMs = 0;
    performance.now = () => this.nowMs;
  }

  uninstall(): void {
    // Its own method stands on the prototype again.
    Reflect.deleteProperty(performance, 'now');
  }
}
