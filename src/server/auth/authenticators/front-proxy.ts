import { setOwn } from '../../../api/codec/json-objects.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Authenticator, Credentials } from '../authenticator.ts';
import { createCertificateChecker } from './client-certificate.ts';

const extraPrefix = 'x-remote-extra-';

/**
 * Believes the X-Remote-* headers of a proxy that shows a certificate of the front-proxy CA with one of the allowed names. From anybody
 * else the headers mean nothing.
 */
export function createFrontProxyAuthenticator(options: {
  caPem: string;
  allowedNames: readonly string[];
  clock: Clock;
}): Authenticator {
  const find = createCertificateChecker(options);
  return {
    authenticate(credentials) {
      const certificate = find(credentials);
      if (!certificate || !options.allowedNames.includes(certificate.parsed.subject.commonName)) return undefined;
      const name = headerValues(credentials, 'x-remote-user')[0];
      if (!name) return undefined;
      const uid = headerValues(credentials, 'x-remote-uid')[0];
      return { name, groups: headerValues(credentials, 'x-remote-group'), extra: extraOf(credentials), ...(uid ? { uid } : {}) };
    },
  };
}

function extraOf(credentials: Credentials): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const header of Object.keys(credentials.headers)) {
    if (!header.toLowerCase().startsWith(extraPrefix)) continue;
    setOwn(extra, extraKey(header, extraPrefix), headerValues(credentials, header));
  }
  return extra;
}

/** The key in a header name `<prefix><key, percent-encoded>`; lower-case, as header names carry no case. */
export function extraKey(header: string, prefix: string): string {
  const encoded = header.slice(prefix.length).toLowerCase();
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** All values of a header that may be repeated. A value may hold commas: groups of a directory do. */
function headerValues(credentials: Credentials, name: string): string[] {
  const value = credentials.headers[name];
  if (value === undefined) return [];
  const values = typeof value === 'string' ? [value] : [...value];
  return values.filter((v) => v !== '');
}
