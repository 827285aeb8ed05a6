import { wideSketchCell } from '@offloop/core/internal/aggregate/wide-sketch.js';

const scratch = new DataView(new ArrayBuffer(8));

/** The cell of a number, of which the drain has the halves. */
export function wideSketchCellOf(value: number): number {
  scratch.setFloat64(0, value);
  return wideSketchCell(scratch.getInt32(0), scratch.getUint32(4));
}
