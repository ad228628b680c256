import type { FieldError } from '../../field-error.ts';
import { invalid, required } from '../../validation/errors.ts';
import { dns1123Subdomain } from '../../validation/names.ts';

const maxSignerDomainLength = 63 * 4;
const maxSignerNameLength = 571;

/** `<domain>/<path>`, kubernetes: pkg/apis/core/validation/names.go (ValidateSignerName). */
export function checkSignerName(errors: FieldError[], field: string, signer: string | undefined): void {
  if (!signer) {
    errors.push(required(field));
    return;
  }
  const slash = signer.indexOf('/');
  const domain = signer.slice(0, slash);
  const path = signer.slice(slash + 1);
  if (slash < 0 || path.includes('/')) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(invalid(field, signer, detail));
    return;
  }
  for (const problem of dns1123Subdomain(domain)) {
    errors.push(invalid(field, domain, `validating label "${domain}": ${problem}`));
  }
  if (!domain.includes('.'))
    errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  for (const problem of dns1123Subdomain(path)) errors.push(invalid(field, path, `validating label "${path}": ${problem}`));
  if (domain.length > maxSignerDomainLength || signer.length > maxSignerNameLength) {
    errors.push({ reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxSignerNameLength} bytes` });
  }
}
