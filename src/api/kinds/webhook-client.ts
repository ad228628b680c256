import type { FieldError } from '../field-error.ts';
import type { AdmissionregistrationWebhookClientConfig } from '../generated/types.ts';
import { checkPort } from '../validation/checks.ts';
import { invalid, required } from '../validation/errors.ts';
import { dns1123Subdomain } from '../validation/names.ts';

/** How to reach a webhook: exactly one of a URL and a service. kubernetes: apiserver/pkg/util/webhook/validation.go. */
export function checkWebhookClient(errors: FieldError[], at: string, client: AdmissionregistrationWebhookClientConfig): void {
  const { url, service } = client;
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(at, 'exactly one of url or service is required'));
  } else if (url !== undefined) checkUrl(errors, `${at}.url`, url);
  else if (service) {
    // Upstream takes one for the other.
    if (!service.namespace) errors.push(required(`${at}.service.name`));
    if (!service.name) errors.push(required(`${at}.service.namespace`));
    const problems: FieldError[] = [];
    checkPort(problems, `${at}.service.port`, service.port);
    const detail = 'port is not valid: must be between 1 and 65535, inclusive';
    if (problems.length > 0) errors.push(invalid(`${at}.service.port`, service.port, detail));
    checkServicePath(errors, `${at}.service.path`, service.path);
  }
}

function checkUrl(errors: FieldError[], field: string, text: string): void {
  const form = '; desired format: https://host[/path]';
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? '';
  if (scheme !== 'https') errors.push(invalid(field, scheme, `'https' is the only allowed URL scheme${form}`));
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]/.test(text)) {
    errors.push(invalid(field, '', `host must be specified${form}`));
    return;
  }
  if (!URL.canParse(text)) {
    errors.push(required(field, `url must be a valid URL: ${text}${form}`));
    return;
  }
  const url = new URL(text);
  if (url.username || url.password) errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash) errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search) errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
}

function checkServicePath(errors: FieldError[], field: string, path: string | undefined): void {
  if (path === undefined || path === '' || path === '/') return;
  if (!path.startsWith('/')) errors.push(invalid(field, path, "must start with a '/'"));
  else {
    const segments = path.slice(1).split('/');
    if (segments.at(-1) === '') segments.pop();
    segments.forEach((segment, i) => {
      if (segment === '') errors.push(invalid(field, path, `segment[${i}] may not be empty`));
      else for (const problem of dns1123Subdomain(segment)) errors.push(invalid(field, path, `segment[${i}]: ${problem}`));
    });
  }
}
