import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** What a machine needs to join. Without `caHash` it cannot check whom it talks to before it sends the secret. */
export interface JoinToken {
  /** Lower-case hex SHA-256 of the DER of the cluster's CA certificate. */
  readonly caHash?: string;
  readonly id: string;
  readonly secret: string;
}

const fullForm = /^SKIFF10([0-9a-f]{64})::([a-z0-9-]{1,63}):(\S+)$/;
const bootstrapForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** `SKIFF10<hash>::<id>:<secret>`, or `<id>.<secret>` when there is no hash. */
export function formatJoinToken(token: JoinToken): string {
  return token.caHash === undefined ? `${token.id}.${token.secret}` : `SKIFF10${token.caHash}::${token.id}:${token.secret}`;
}

/** Reads both forms. Throws an Error for a person when the text is neither. */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  const full = fullForm.exec(trimmed);
  if (full) return { caHash: full[1]!, id: full[2]!, secret: full[3]! };
  const short = bootstrapForm.exec(trimmed);
  if (short) return { id: short[1]!, secret: short[2]! };
  throw new Error(
    'this is not a join token: it must look like SKIFF10<64 hex digits>::<id>:<secret> or abcdef.0123456789abcdef. ' +
      'Copy the whole line of /var/lib/skiff/server/node-token from the server.',
  );
}

/** What goes after `Authorization: Bearer `. */
export function bearerOf(token: JoinToken): string {
  return `${token.id}.${token.secret}`;
}

/** A kubeadm-style token: 6 and 16 characters of chance (31 and 82 bits). */
export function generateBootstrapToken(): { id: string; secret: string } {
  const letters = (n: number): string => Array.from({ length: n }, () => alphabet[randomInt(alphabet.length)]).join('');
  return { id: letters(6), secret: letters(16) };
}

/** 128 bits of chance as hex. */
export function generateSecret(): string {
  return randomBytes(16).toString('hex');
}

/** Compares secrets without telling by its duration where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
