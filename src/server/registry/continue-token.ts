import { badRequest } from '../../api/status-error.ts';

/** Where a paged list goes on: strictly after `after` (relative to the listed prefix), at `revision`; -1 = wherever the store is then. */
export interface ContinuePoint {
  readonly revision: number;
  readonly after: string;
  /** When the first page was listed, in whole minutes since 1970; absent in tokens of other servers. */
  readonly minute?: number | undefined;
}

/** Stands for "do not care about consistency", in a token that replaces an expired one. */
export const inconsistent = -1;

const apiVersion = 'meta.k8s.io/v1';

/** apiserver: pkg/storage/continue.go. `after` is a key relative to the listed prefix, e.g. `g1`. */
export function encodeContinue({ revision, after, minute }: ContinuePoint): string {
  const token = { v: apiVersion, rv: revision, start: `/${after}\u0000`, minute };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Throws StatusError 400 for what is not a token. */
export function decodeContinue(token: string): ContinuePoint {
  const parsed = parseToken(token);
  if (parsed.v !== apiVersion) {
    throw badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${parsed.v ?? ''}`,
    );
  }
  if (parsed.rv === 0 || typeof parsed.rv !== 'number') {
    throw badRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  }
  const { start = '' } = parsed;
  if (start === '') {
    throw badRequest('invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  // A key that says where it is in a roundabout way may lead out of what is listed.
  if (typeof start !== 'string' || /(?:^|\/)\.{0,2}\//.test(start.slice(1))) {
    throw badRequest(`invalid continue token: continue key is not valid: ${String(start)}`);
  }
  const minute = typeof parsed.minute === 'number' ? parsed.minute : undefined;
  return { revision: parsed.rv, after: start.replace(/^\//, '').replace(/\0$/, ''), minute };
}

function parseToken(token: string): { v?: unknown; rv?: unknown; start?: unknown; minute?: unknown } {
  const text = Buffer.from(token, 'base64url').toString('latin1');
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Answered below, like any other text that is not an object.
  }
  throw badRequest(
    `invalid continue token: continue key is not valid: invalid character '${text.charAt(0)}' looking for beginning of value`,
  );
}
