import { format } from 'node:util';
import { OffloopTypeError } from '../errors.js';

/** @throws {TypeError} `OFFLOOP_ERR_VALUE`, in prom-client's words. */
export function refuseObservation(value: unknown): never {
  throw new OffloopTypeError('OFFLOOP_ERR_VALUE', `Value is not a valid number: ${format(value)}`);
}
