import {
  type CertificateSigningRequest,
  keepAllButConditions,
} from '../../../api/kinds/certificates/certificate-signing-request.ts';
import { validateApproval } from '../../../api/kinds/certificates/request-rules.ts';
import type { UpdateRules } from '../../registry/update.ts';

/** `/approval`: adds the conditions Approved and Denied (kubernetes: pkg/registry/certificates/certificates/strategy.go). */
export const approvalRules: UpdateRules<CertificateSigningRequest> = {
  subresource: 'approval',
  prepare(next, previous, { nowMs }) {
    keepAllButConditions(next, previous, nowMs);
  },
  validate: validateApproval,
};
