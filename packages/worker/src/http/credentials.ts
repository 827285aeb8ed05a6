import { createHash, timingSafeEqual } from 'node:crypto';

/** What a client must send, as digests: all that is kept, and that goes to a thread. Empty where nothing of the kind is asked for. */
export interface CredentialDigests {
  readonly token: Uint8Array;
  readonly basic: Uint8Array;
}

/** Nothing that was hashed is that short, so it is equal to none. */
const NONE = new Uint8Array(0);

/** No header of a client that knows the secret is longer; of others, nobody needs the digest. */
const CREDENTIAL_LENGTH_MAX = 8_192;

/** RFC 9110, 11.4: the scheme in any case, spaces, token68. */
const AUTHORIZATION = /^(bearer|basic) +([!-~]+) *$/i;

/** @param secrets Empty texts ask for nothing. */
export function digestsOf(secrets: {
  readonly token: string;
  readonly basic: string;
}): CredentialDigests {
  const { token, basic } = secrets;
  return {
    token: token === '' ? NONE : digestOf(Buffer.from(token)),
    basic: basic === '' ? NONE : digestOf(Buffer.from(basic)),
  };
}

/** Whether anything is asked for. */
export function asksForCredentials({ token, basic }: CredentialDigests): boolean {
  return token.length > 0 || basic.length > 0;
}

/**
 * Whether an `Authorization` header holds the token, or the user and password. Digests are compared, in constant time, so that the time it takes
 * says nothing of how much of a guess is right.
 */
export function holdsCredentials(
  authorization: string | undefined,
  { token, basic }: CredentialDigests,
): boolean {
  if (authorization === undefined || authorization.length > CREDENTIAL_LENGTH_MAX) return false;
  const [, scheme = '', text = ''] = AUTHORIZATION.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return isDigestOf(token, Buffer.from(text));
  if (scheme.toLowerCase() === 'basic') return isDigestOf(basic, Buffer.from(text, 'base64'));
  return false;
}

/** `WWW-Authenticate` for who has sent none, or wrong ones. */
export function challenges({ token, basic }: CredentialDigests): string[] {
  return [
    ...(token.length > 0 ? ['Bearer realm="offloop"'] : []),
    ...(basic.length > 0 ? ['Basic realm="offloop", charset="UTF-8"'] : []),
  ];
}

function isDigestOf(digest: Uint8Array, secret: Uint8Array): boolean {
  return digest.length > 0 && timingSafeEqual(digest, digestOf(secret));
}

function digestOf(secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(secret).digest());
}
