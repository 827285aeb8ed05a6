import type { ServerResponse } from 'node:http';
import type { AccessCheck, ResolvedOptions } from '@offloop/core';
import {
  AddressList,
  answerText,
  asksForCredentials,
  type CredentialDigests,
  challenges,
  digestsOf,
  holdsCredentials,
  isLoopback,
  type RoutedMessage,
} from '@offloop/worker/http';

/** How much an endpoint tells: `private` ones tell how the service works inside, and are closed to other machines where nobody has said more. */
export type Disclosure = 'public' | 'scrape' | 'private';

/** What Express makes of `trust proxy` and of forwarded addresses. */
type AddressedMessage = RoutedMessage & { readonly ip?: unknown };

/**
 * Who gets answers of the routes: the option `access`.
 *
 *   nothing given   public and scrapes: everybody; private: this machine where NODE_ENV is production, else everybody
 *   something given public: everybody; scrapes and private: whoever satisfies one of what is given
 */
export class AccessGate {
  private readonly credentials: CredentialDigests;
  private readonly addresses: AddressList | undefined;
  private readonly custom: AccessCheck | undefined;
  private readonly isConfigured: boolean;

  /** @throws {OffloopError} `OFFLOOP_ERR_OPTION_RANGE` for what is no address or network. */
  constructor({ token, basic, allow, custom }: ResolvedOptions['access']) {
    this.credentials = digestsOf({ token, basic });
    this.addresses = allow.length === 0 ? undefined : new AddressList('access.allow', allow);
    this.custom = custom === '' ? undefined : custom;
    this.isConfigured =
      asksForCredentials(this.credentials) ||
      this.addresses !== undefined ||
      this.custom !== undefined;
  }

  /** Goes on with a request that may have its answer, at once unless the application's function takes time; refuses another. Never throws. */
  pass(
    disclosure: Disclosure,
    { request, response }: { readonly request: RoutedMessage; readonly response: ServerResponse },
    goOn: () => void,
  ): void {
    if (disclosure === 'public' || this.isOpen(disclosure, request)) {
      goOn();
      return;
    }
    const { custom } = this;
    if (custom === undefined) {
      this.refuse(request, response);
      return;
    }
    ask(custom, request)
      .then((isAllowed) => {
        if (isAllowed) goOn();
        else this.refuse(request, response);
      })
      // Middleware that wraps responses may throw, and the application is not to hear of it.
      .catch(() => response.destroy());
  }

  private isOpen(disclosure: Disclosure, request: RoutedMessage): boolean {
    const address = addressOf(request);
    if (!this.isConfigured) {
      return (
        disclosure === 'scrape' || process.env['NODE_ENV'] !== 'production' || isLoopback(address)
      );
    }
    return (
      holdsCredentials(request.headers.authorization, this.credentials) ||
      this.addresses?.has(address) === true
    );
  }

  private refuse(request: RoutedMessage, response: ServerResponse): void {
    if (response.headersSent) return;
    if (asksForCredentials(this.credentials)) {
      response.setHeader('WWW-Authenticate', challenges(this.credentials));
      answerText(request, response, { status: 401, text: 'credentials are missing or wrong' });
      return;
    }
    answerText(request, response, {
      status: 403,
      text: this.isConfigured
        ? 'the option access does not let this request in'
        : "diagnostics answer only this machine when NODE_ENV is production; to open them, give the option access, for example access: { token: '…' } or access: { allow: ['10.0.0.0/8'] }",
    });
  }
}

/** Express's own, which goes by `trust proxy`; elsewhere the socket's. */
function addressOf(request: AddressedMessage): string | undefined {
  const { ip } = request;
  return typeof ip === 'string' ? ip : (request.socket?.remoteAddress ?? undefined);
}

/** A function that throws, rejects, or gives anything else than true, says no. */
async function ask(custom: AccessCheck, request: RoutedMessage): Promise<boolean> {
  try {
    return (await custom(request)) === true;
  } catch {
    return false;
  }
}
