import { AddressList } from '@offloop/worker/http';
import { expect } from 'chai';
import { refusalOf } from '../../core/refusal.js';

describe('address list', () => {
  it('has the addresses of its networks, of IPv4 within IPv6 too, and no others', () => {
    const list = new AddressList('allow', ['10.0.0.0/8', '192.168.1.1', 'fe80::/10', 'loopback']);
    for (const address of ['10.9.8.7', '::ffff:10.0.0.1', '192.168.1.1', 'fe80::1%eth0', '::1'])
      expect(list.has(address), address).to.equal(true);
    for (const address of ['11.0.0.1', '192.168.1.2', '2001:db8::1', 'localhost', '', undefined])
      expect(list.has(address), String(address)).to.equal(false);
  });

  it('refuses what is no address and no network, rather than letting everybody in', () => {
    for (const entry of [
      '10.0.0.0/',
      '::/',
      '10.0.0.0/8/9',
      '10.0.0.0/0x8',
      '10.0.0.0/33',
      '/8',
      '',
    ]) {
      const message = refusalOf(
        'OFFLOOP_ERR_OPTION_RANGE',
        () => new AddressList('allow', [entry]),
      );
      expect(message).to.include(JSON.stringify(entry));
    }
  });
});
