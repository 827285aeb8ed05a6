import { type ErrorRule, OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/adapter';
import { isHost, read } from '../middleware/unknown-value.js';

/** offloop's own classes of errors; rules of the user's may name others. */
export type ErrorClass = 'client' | 'server' | 'timeout' | 'aborted' | 'validation' | 'dependency';

/** A failed request, as far as it is known. */
export interface Failure {
  /** Three digits; 499 where the client left. 0 where there is none. */
  readonly status: number;
  /** What was thrown, where something was. */
  readonly error?: unknown;
}

/** Class of a failure; `undefined` for what is none. Never throws. */
export type ErrorClassifier = (failure: Failure) => string | undefined;

const CLIENT_CLOSED_REQUEST = 499;

/** Request timeout, gateway timeout, and what proxies send for an origin that took too long. */
const TIMEOUT_STATUSES: ReadonlySet<number> = new Set([408, 504, 522, 524]);

const TIMEOUT_CODES: ReadonlySet<unknown> = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ETIME',
  'ERR_HTTP_REQUEST_TIMEOUT',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
]);

const DEPENDENCY_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const ABORT_CODES: ReadonlySet<unknown> = new Set(['ABORT_ERR', 'ECONNABORTED']);

/** As body-parser, ajv, fastify, zod and most ORMs name or number theirs. */
const VALIDATION_CODES = /VALIDATION|^ERR_INVALID_ARG|^entity\./;
const VALIDATION_TYPE = /Validat(ion|or)|^ZodError$|^CastError$/;
const TIMEOUT_NAME = /Timeout(Error)?$|^UND_ERR_.*TIMEOUT$/;
const DEPENDENCY_NAME =
  /^UND_ERR_|(Connection|Network|Connect)\w*Error$|^Redis|^Mongo|^SequelizeConn/;

/** A class chain longer than any that somebody wrote. */
const CHAIN_LENGTH_MAX = 16;

/**
 * Makes a classifier: the rules first, in their order, then offloop's own.
 *
 * Of offloop's own, a client that left makes any failure `aborted`; then the exception decides by its type and code, then the status, and an
 * exception that says nothing is the `server`'s.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for a pattern that is no regular expression.
 */
export function errorClassifier(rules: readonly ErrorRule[]): ErrorClassifier {
  const compiled = rules.map(compile);
  return (failure) => {
    try {
      for (const { name, holds } of compiled) if (holds(failure)) return name;
      return ownClass(failure);
    } catch {
      // An exception may be anything, a proxy that throws for instance.
      return 'server';
    }
  };
}

function ownClass({ status, error }: Failure): ErrorClass | undefined {
  if (status === CLIENT_CLOSED_REQUEST) return 'aborted';
  const byError = error === undefined ? undefined : classOfError(error);
  if (byError !== undefined) return byError;
  return classOfStatus(status) ?? (error === undefined ? undefined : errorsOwnStatus(error));
}

function classOfStatus(status: number): ErrorClass | undefined {
  if (status < 400) return undefined;
  if (TIMEOUT_STATUSES.has(status)) return 'timeout';
  return status < 500 ? 'client' : 'server';
}

/** Where the response does not tell, as a handler answers all is well: what the error would have come to. */
function errorsOwnStatus(error: unknown): ErrorClass {
  const status = Number(read(error, 'status') ?? read(error, 'statusCode'));
  return (status >= 400 ? classOfStatus(status) : undefined) ?? 'server';
}

function classOfError(error: unknown): ErrorClass | undefined {
  // What `fetch` throws says only in its cause what happened.
  for (const each of [error, read(error, 'cause')]) {
    if (!isHost(each)) continue;
    const code = read(each, 'code') ?? read(each, 'type');
    const types = typesOf(each);
    if (TIMEOUT_CODES.has(code) || matches(TIMEOUT_NAME, [code, ...types])) return 'timeout';
    if (ABORT_CODES.has(code) || types.includes('AbortError')) return 'aborted';
    if (matches(VALIDATION_TYPE, types) || matches(VALIDATION_CODES, [code])) return 'validation';
    if (DEPENDENCY_CODES.has(code) || matches(DEPENDENCY_NAME, [code, ...types]))
      return 'dependency';
  }
  return undefined;
}

/** Its name, and those of its class and of all that this extends. */
function typesOf(error: object): unknown[] {
  const types: unknown[] = [read(error, 'name')];
  let prototype: unknown = Object.getPrototypeOf(error);
  for (let depth = 0; isHost(prototype) && depth < CHAIN_LENGTH_MAX; depth++) {
    types.push(read(read(prototype, 'constructor'), 'name'));
    prototype = Object.getPrototypeOf(prototype);
  }
  return types;
}

function matches(pattern: RegExp, texts: readonly unknown[]): boolean {
  return texts.some((text) => typeof text === 'string' && pattern.test(text));
}

function compile(rule: ErrorRule, index: number) {
  const { type, code, status } = rule;
  const pattern = rule.pattern === undefined ? undefined : expressionOf(rule.pattern, index);
  const needsError = type !== undefined || code !== undefined || pattern !== undefined;
  return {
    name: rule.class,
    holds: (failure: Failure): boolean => {
      const { error } = failure;
      if (status !== undefined && status !== failure.status) return false;
      if (!needsError) return true;
      if (error === undefined) return false;
      if (code !== undefined && read(error, 'code') !== code) return false;
      if (type !== undefined && !(isHost(error) && typesOf(error).includes(type))) return false;
      return pattern === undefined || pattern.test(messageOf(error));
    },
  };
}

function messageOf(error: unknown): string {
  return String(isHost(error) ? read(error, 'message') : error);
}

function expressionOf(pattern: string, index: number): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new OffloopError(
      'OFFLOOP_ERR_OPTION_RANGE',
      `errorRules[${index}].pattern must be a regular expression, got ${showValue(pattern)}`,
      { cause },
    );
  }
}
