import { type BodyKind, decodeBody, type FieldValidation } from '../../api/codec/decode-body.ts';
import { bodyFormat } from '../../api/codec/parse-body.ts';
import type { KubeObject } from '../../api/meta.ts';
import { type Exchange, header } from '../http/exchange.ts';

/** The largest body a request may have (apiserver: pkg/server/config.go MaxRequestBodyBytes). */
export const maxBodyBytes = 3 * 1024 * 1024;

/** Throws StatusError 415 for a content type nobody can read. */
export function requireKnownFormat(exchange: Exchange): void {
  bodyFormat(header(exchange, 'content-type') ?? '');
}

/** Reads the object a request carries; problems of its fields become warnings or, with Strict, a 400. */
export async function readObject(exchange: Exchange, kind: BodyKind, fieldValidation: FieldValidation): Promise<KubeObject> {
  return (await readBody(exchange, kind, fieldValidation))();
}

/** Receives a body; each call of what it resolves with decodes it anew, as `readObject` does. */
export async function readBody(exchange: Exchange, kind: BodyKind, fieldValidation: FieldValidation): Promise<() => KubeObject> {
  const bytes = await exchange.readBody(maxBodyBytes);
  const contentType = header(exchange, 'content-type') ?? '';
  return () => {
    const { object, warnings } = decodeBody({ bytes, contentType, kind, fieldValidation });
    if (fieldValidation === 'Warn') for (const warning of warnings) exchange.warnings.add(warning);
    return object;
  };
}
