import * as exemplars from '@offloop/core/internal/layout/exemplars.js';
import { expect } from 'chai';
import { constantName, tableRows } from './docstring-tables.js';

describe('exemplars', () => {
  it('have slots whose fields are those of their table', () => {
    const constants: Readonly<Record<string, unknown>> = { ...exemplars };
    const rows = tableRows('exemplars.ts').filter(
      ([, field]) => `SLOT_${constantName(field as string)}` in constants,
    );
    expect(rows).to.have.length(5);
    for (const [byte, field] of rows) {
      expect(constants[`SLOT_${constantName(field as string)}`], field).to.equal(Number(byte));
    }
  });

  it('have tables of whole doubles that hold a count and a cell a slot', () => {
    for (let slots = 1; slots < 40; slots++) {
      const bytes = exemplars.exemplarTableBytes(slots);
      expect(bytes % 8).to.equal(0);
      expect(bytes).to.be.within((slots + 1) * 4, (slots + 2) * 4);
    }
  });
});
