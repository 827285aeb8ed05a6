import type { SecureContextOptions } from 'node:tls';
import { OffloopError, type ResolvedPortOptions } from '@offloop/core';
import { messageOf } from '@offloop/core/engine';
import { isLoopback } from '../http/address-list.js';
import { type CredentialDigests, digestsOf } from '../http/credentials.js';

/** How the port is served. Plain data, as it crosses threads; of secrets it has digests only, but for the certificate's key. */
export interface PortSettings {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly credentials: CredentialDigests;
  /** Names that clients may call it by, beside localhost and addresses; `undefined`: any. */
  readonly allowedHosts: readonly string[] | undefined;
  readonly maxConnections: number;
}

/**
 * What options come to.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for a certificate or a key that cannot be used, or is without the other.
 */
export function portSettings(port: number, options: ResolvedPortOptions): PortSettings {
  const { host, tlsCert: cert, tlsKey: key, maxConnections } = options;
  const names = options.allowedHosts.map((name) => name.toLowerCase());
  const isForThisMachine = host.toLowerCase() === 'localhost' || isLoopback(host);
  const isTls = cert !== '' || key !== '';
  if (isTls) refuseUseless({ cert, key });
  return {
    host,
    port,
    tls: isTls ? { cert, key } : undefined,
    credentials: digestsOf(options),
    allowedHosts: names.length === 0 && !isForThisMachine ? undefined : names,
    maxConnections,
  };
}

function refuseUseless({ cert, key }: Required<Pick<SecureContextOptions, 'cert' | 'key'>>): void {
  let reason = 'only one of them';
  let cause: unknown;
  if (cert !== '' && key !== '') {
    try {
      // Not imported, as most processes need no TLS here.
      process.getBuiltinModule('node:tls').createSecureContext({ cert, key });
      return;
    } catch (error) {
      cause = error;
      reason = messageOf(error);
    }
  }
  throw new OffloopError(
    'OFFLOOP_ERR_OPTION_RANGE',
    `portOptions.tlsCert and portOptions.tlsKey must be a certificate and its key, got ${reason}`,
    { cause },
  );
}
