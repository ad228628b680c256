import type { FieldError } from '../field-error.ts';
import type { AdmissionregistrationWebhookClientConfig } from '../generated/types.ts';
import { checkPort } from '../validation/checks.ts';
import { invalid, required } from '../validation/errors.ts';

/** How to reach a webhook: exactly one of a URL and a service. kubernetes: apiserver/pkg/util/webhook/validation.go. */
export function checkWebhookClient(errors: FieldError[], at: string, client: AdmissionregistrationWebhookClientConfig): void {
  const { url, service } = client;
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(at, 'exactly one of url or service is required'));
  } else if (url !== undefined) checkUrl(errors, `${at}.url`, url);
  else if (service) {
    if (!service.name) errors.push(required(`${at}.service.name`, 'service name is required'));
    if (!service.namespace) errors.push(required(`${at}.service.namespace`, 'service namespace is required'));
    checkPort(errors, `${at}.service.port`, service.port);
    checkServicePath(errors, `${at}.service.path`, service.path);
  }
}

function checkUrl(errors: FieldError[], field: string, text: string): void {
  const form = '; desired format: https://host[/path]';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    errors.push(required(field, `url must be a valid URL: ${text}${form}`));
    return;
  }
  if (url.protocol !== 'https:') {
    errors.push(invalid(field, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`));
  }
  if (!url.host) errors.push(invalid(field, url.host, `host must be specified${form}`));
  if (url.username || url.password) errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash) errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search) errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
}

function checkServicePath(errors: FieldError[], field: string, path: string | undefined): void {
  if (path === undefined || path === '' || path === '/') return;
  if (!path.startsWith('/')) errors.push(invalid(field, path, "must start with a '/'"));
  else if (path.includes('//')) errors.push(invalid(field, path, 'segment[0] may not be empty'));
}
