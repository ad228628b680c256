import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import type { Effects } from '../registry/effects.ts';

/** Who asks for a certificate is what the server knows of the caller, never what the caller writes. */
export const certificateRequestEffects: Effects<CertificateSigningRequest> = {
  beforeCreate({ spec }, { user }) {
    spec.username = user.name;
    spec.groups = [...user.groups];
    if (user.uid) spec.uid = user.uid;
    const extra = Object.entries(user.extra).map(([key, values]): [string, string[]] => [key, [...values]]);
    if (extra.length > 0) spec.extra = Object.fromEntries(extra);
    return undefined;
  },
};
