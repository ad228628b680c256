import { CertificateSigningRequest } from '../../../api/kinds/certificates/certificate-signing-request.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { requestOf, Signer } from '../../join/csr-form.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

type Csr = CertificateSigningRequest;

/** Deciding on a request needs the verb `approve` on its signer. */
export function certificateApproval(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (request.subresource !== 'approval' || !isAbout(request, CertificateSigningRequest)) return;
      const { signerName } = (request.oldObject as unknown as Csr).spec;
      if (!mayUseSigner(request, 'approve', signerName, deps))
        throw refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
    },
  };
}

/** Writing the certificate, or a condition, needs the verb `sign` on the signer. */
export function certificateSigning(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      const next = objectOf(request, CertificateSigningRequest, ['UPDATE'], 'status');
      if (!next) return;
      const previous = request.oldObject as unknown as Csr;
      const signed = ({ status }: Csr): unknown => [status?.certificate, status?.conditions];
      if (semanticEqual(signed(next), signed(previous))) return;
      const { signerName } = previous.spec;
      if (!mayUseSigner(request, 'sign', signerName, deps))
        throw refuse(request, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`);
    },
  };
}

/** Nobody gets a client certificate of the group that may do everything. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    validate(request) {
      const csr = objectOf(request, CertificateSigningRequest, ['CREATE']);
      if (csr?.spec.signerName !== Signer.apiClient) return;
      if (organizations(request, csr).includes('system:masters'))
        throw refuse(request, `use of ${Signer.apiClient} signer with system:masters group is not allowed`);
    },
  };
}

function organizations(request: AdmissionRequest, csr: Csr): readonly string[] {
  try {
    return requestOf(csr).subject.organizations;
  } catch (error) {
    throw refuse(request, `failed to parse CSR: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Asks for the signer by name and for all of its domain. */
function mayUseSigner(request: AdmissionRequest, verb: string, signerName: string, { authorization }: AdmissionDeps): boolean {
  const domain = `${signerName.split('/')[0]}/*`;
  return [signerName, domain].some((name) => {
    const what = { group: 'certificates.k8s.io', version: '*', resource: 'signers', name };
    return authorization.authorize({ user: request.user, verb, path: '', ...what }).verdict === 'allow';
  });
}
