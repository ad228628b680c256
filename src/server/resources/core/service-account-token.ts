import type { BodyKind } from '../../../api/codec/decode-body.ts';
import type { TokenRequest } from '../../../api/generated/types.ts';
import type { PostedSubresource } from '../subresource.ts';

/** Who makes tokens of service accounts. */
export interface TokenSource {
  issue(options: { namespace: string; serviceAccount: string; request: Partial<TokenRequest> }): Promise<TokenRequest>;
}

const body: BodyKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', type: 'TokenRequest' };

/** `POST serviceaccounts/<name>/token`. */
export function serviceAccountToken(tokens: TokenSource): PostedSubresource {
  return {
    body,
    async post({ key }, request) {
      const { namespace = '', name } = key;
      const object = await tokens.issue({ namespace, serviceAccount: name, request: request as Partial<TokenRequest> });
      return { code: 201, object };
    },
  };
}
