import { isOffloopError, type OffloopErrorCode } from '@offloop/core';
import { expect } from 'chai';

/** Calls what must be refused; gives the error's message after checking its code. */
export function refusalOf(code: OffloopErrorCode, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(isOffloopError(error, code), `${code}, got ${String(error)}`).to.equal(true);
    return (error as Error).message;
  }
  throw new Error(`${code} was to be thrown, and nothing was`);
}

/** Code of the error that a call throws, or what else it throws; `undefined` where it throws nothing. */
export function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return isOffloopError(error) ? error.code : error;
  }
  return undefined;
}
