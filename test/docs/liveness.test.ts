import { expect } from 'chai';
import { readDocument } from './tables.js';

interface IdleResult {
  readonly rows: readonly {
    readonly name: string;
    readonly cells: Readonly<Record<string, string>>;
  }[];
}

describe('docs/liveness.md', () => {
  it('quotes what the bench measured of the beat and the sampling', () => {
    const path = 'bench/results/footprint-idle.node20.json';
    const { rows } = JSON.parse(readDocument(path)) as IdleResult;
    const share = rows.find(({ name }) => name === 'loop lag and stalls')?.cells[
      'added, % of a core'
    ];
    expect(readDocument('docs/liveness.md'))
      .to.include(`The beat and the sampling take ${share} % of a core`)
      .and.include(path);
  });
});
