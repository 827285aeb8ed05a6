/** A whole number with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** Milliseconds with one decimal; a dash where there is nothing to tell. */
export function msText(durationMs: number | null): string {
  return durationMs === null ? '–' : durationMs.toFixed(1);
}

/** A share in [0, 1] as per cent. */
export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
