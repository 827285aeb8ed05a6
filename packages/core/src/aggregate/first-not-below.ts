/** First of the ascending bounds that is not below `value`; `count` when there is none. */
export function firstNotBelow(search: {
  bounds: Float64Array;
  start: number;
  count: number;
  value: number;
}): number {
  let low = 0;
  let high = search.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (search.value > (search.bounds[search.start + middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}
