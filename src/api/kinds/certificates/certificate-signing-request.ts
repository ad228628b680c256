import { defineKind, keepAllButStatus, keepStatus } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, orNone } from '../../table/columns.ts';
import { humanDuration } from '../../table/duration.ts';
import { statusSubresource } from '../subresources.ts';
import { keepDecisions, stampConditions, validateRequest, validateStatus } from './request-rules.ts';

export type CertificateSigningRequest = t.CertificateSigningRequest;
export const CertificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  scope: 'Cluster',
  resetFields: {
    '': ['spec', 'status'],
    status: ['spec', 'status.conditions'],
    approval: ['spec', 'status.certificate'],
  },
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'] }, statusSubresource],
  nameRule: 'pathSegment',
  applyDefaults(request) {
    request.spec ??= {} as t.CertificateSigningRequestSpec;
  },
  /** Who asks is not the client's to say: the server fills it in from the request. */
  prepareForCreate(request) {
    const { spec } = request;
    delete spec.username;
    delete spec.uid;
    delete spec.groups;
    delete spec.extra;
    request.status = {};
  },
  /** A request stays as it was made; it is decided and answered through the sub-resources. */
  prepareForUpdate(next, previous) {
    next.spec = previous.spec;
    keepStatus(next, previous);
  },
  prepareForStatusUpdate(next, previous, { nowMs }) {
    keepAllButStatus(next, previous);
    keepDecisions(next, previous);
    stampConditions(next, previous, nowMs);
  },
  validate: validateRequest,
  validateStatusUpdate: validateStatus,
  selectableFields: { 'spec.signerName': (request) => request.spec?.signerName ?? '' },
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', type: 'string', cell: (request) => orNone(request.spec?.signerName) },
    { name: 'Requestor', type: 'string', cell: (request) => request.spec?.username ?? '' },
    {
      name: 'RequestedDuration',
      type: 'string',
      cell: ({ spec }) => (spec?.expirationSeconds === undefined ? orNone('') : humanDuration(spec.expirationSeconds * 1000)),
    },
    { name: 'Condition', type: 'string', cell: conditionText },
  ],
});

/** For `/approval`: only the conditions may change. */
export function keepAllButConditions(next: CertificateSigningRequest, previous: CertificateSigningRequest, nowMs: number): void {
  stampConditions(next, previous, nowMs);
  const conditions = next.status?.conditions;
  keepAllButStatus(next, previous);
  next.status = { ...previous.status, ...(conditions ? { conditions } : {}) };
  if (!conditions) delete next.status.conditions;
}

function conditionText({ status = {} }: CertificateSigningRequest): string {
  const is = (type: string): boolean => status.conditions?.some((c) => c.type === type) ?? false;
  const decision = is('Denied') ? 'Denied' : is('Approved') ? 'Approved' : 'Pending';
  return `${decision}${is('Failed') ? ',Failed' : ''}${status.certificate ? ',Issued' : ''}`;
}
