import type { FieldError } from '../field-error.ts';
import { invalid, required } from './errors.ts';
import { dns1123Subdomain } from './names.ts';

const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const wholePath = new RegExp(`^${pathPattern}$`);

/** What is wrong with a domain and a path, such as `example.com/ingress-controller`. */
export function domainPrefixedPath(field: string, text: string): FieldError[] {
  if (text === '') return [required(field)];
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1)
    return [invalid(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const domain = text.slice(0, slash);
  const path = text.slice(slash + 1);
  const errors = dns1123Subdomain(domain).map((problem) => invalid(field, domain, problem));
  if (!wholePath.test(path)) errors.push(invalid(field, path, `Invalid path (regex used for validation is '${pathPattern}')`));
  return errors;
}
