import { BlockList, isIP } from 'node:net';
import { OffloopError } from '@offloop/core';
import { showValue } from '@offloop/core/engine';

const LOOPBACK = ['127.0.0.0/8', '::1'];

/** Addresses and networks, of IPv4 and IPv6. */
export class AddressList {
  private readonly list = new BlockList();

  /**
   * @param path Of the option that the entries come from, for what is thrown.
   * @param entries Addresses, networks (`10.0.0.0/8`), `loopback`.
   * @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for an entry that is none of them.
   */
  constructor(path: string, entries: readonly string[]) {
    for (const entry of entries) {
      for (const network of entry === 'loopback' ? LOOPBACK : [entry]) this.add(path, network);
    }
  }

  /** @param address As a socket has it; an IPv4 address may stand in an IPv6 one. What is no address is in no list. */
  has(address: string | undefined): boolean {
    // Of a link-local address, the interface is left out.
    const bare = (address ?? '').replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
    const version = isIP(bare);
    return version !== 0 && this.list.check(bare, version === 4 ? 'ipv4' : 'ipv6');
  }

  private add(path: string, network: string): void {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d+))?$/.exec(network) ?? [];
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    try {
      if (prefix === undefined) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(prefix), family);
    } catch (cause) {
      throw new OffloopError(
        'OFFLOOP_ERR_OPTION_RANGE',
        `${path} must be an array of IP addresses, of networks as 10.0.0.0/8, or loopback, got ${showValue(network)} in it`,
        { cause },
      );
    }
  }
}

const loopback = new AddressList('', ['loopback']);

/** Whether an address is this machine's own: 127.0.0.0/8, ::1, or the former within an IPv6 address. */
export function isLoopback(address: string | undefined): boolean {
  return loopback.has(address);
}
