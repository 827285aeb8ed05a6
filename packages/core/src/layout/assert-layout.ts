/** Stops the module from loading when a layout table contradicts itself. */
export function assertLayout(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`offloop: memory layout broken: ${rule}`);
}
