import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkGiven, requireText } from '../../validation/checks.ts';
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../core/volume-source-validation.ts';

const maxRequests = 32;
const maxAlternatives = 8;
const maxSelectors = 32;
const modes = ['All', 'ExactCount'];

/** One device of each kind is asked for unless the claim says otherwise. kubernetes: pkg/apis/resource/v1/defaults.go. */
export function defaultDeviceClaim(spec: t.ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...(firstAvailable ?? [])]) {
      request.allocationMode ||= 'ExactCount';
      if (request.allocationMode === 'ExactCount') request.count ||= 1;
      for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal';
    }
  }
}

/** What a claim or the template of one asks for. kubernetes: pkg/apis/resource/validation/validation.go. */
export function checkDeviceClaim(errors: FieldError[], at: string, spec: t.ResourceClaimSpec | undefined): void {
  const { requests = [], constraints = [] } = spec?.devices ?? {};
  const field = `${at}.devices.requests`;
  if (requests.length > maxRequests) errors.push(tooMany(field, requests.length, maxRequests));
  const names = new Set<string>();
  requests.forEach((request, i) => {
    checkRequest(errors, `${field}[${i}]`, request);
    if (names.has(request.name)) errors.push(duplicate(`${field}[${i}]`, request.name));
    names.add(request.name);
  });
  const known = new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]),
  );
  constraints.forEach((constraint, i) => {
    const own = `${at}.devices.constraints[${i}]`;
    checkReferences(errors, `${own}.requests`, constraint.requests, known);
    checkAttribute(errors, `${own}.matchAttribute`, constraint.matchAttribute);
  });
  spec?.devices?.config?.forEach((entry, i) => {
    const own = `${at}.devices.config[${i}]`;
    checkReferences(errors, `${own}.requests`, entry.requests, known);
    checkConfiguration(errors, own, entry);
  });
}

const maxSelectedRequests = 32;

function checkReferences(errors: FieldError[], field: string, names: readonly string[] = [], known: ReadonlySet<string>): void {
  if (names.length > maxSelectedRequests) errors.push(tooMany(field, names.length, maxSelectedRequests));
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) errors.push(duplicate(`${field}[${i}]`, name));
    if (known.has(name)) return;
    const detail = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
    errors.push(invalid(`${field}[${i}]`, name, detail));
  });
}

/** `dra.example.com/model`. */
function checkAttribute(errors: FieldError[], field: string, name: string | undefined): void {
  if (name === undefined) {
    errors.push(required(field));
    return;
  }
  if (!name.includes('/'))
    errors.push(invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash'));
  checkDeviceProperty(errors, field, name);
}

const maxIdentifierLength = 32;

/** The name of an attribute or a capacity: an identifier, with or without a domain. */
export function checkDeviceProperty(errors: FieldError[], field: string, name: string): void {
  const slash = name.indexOf('/');
  const identifier = name.slice(slash + 1);
  if (slash >= 0) {
    const domain = name.slice(0, slash);
    if (!domain) errors.push(required(field, 'the domain must not be empty'));
    else for (const problem of dns1123Subdomain(domain)) errors.push(invalid(field, domain, problem));
    if (!identifier) errors.push(required(field, 'the name must not be empty'));
  }
  if (slash >= 0 && !identifier) return;
  if (identifier.length > maxIdentifierLength) errors.push(tooLong(field, maxIdentifierLength));
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(identifier)) return;
  const detail =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
  errors.push(invalid(field, identifier, detail));
}

/** Parameters for the driver of a device. */
export function checkConfiguration(errors: FieldError[], at: string, { opaque }: t.DeviceClaimConfiguration): void {
  if (!opaque) {
    errors.push(required(`${at}.opaque`));
    return;
  }
  checkCsiDriverName(errors, `${at}.opaque.driver`, opaque.driver);
  if (opaque.parameters === undefined || opaque.parameters === null) errors.push(required(`${at}.opaque.parameters`));
}

function checkRequest(errors: FieldError[], at: string, request: t.DeviceRequest): void {
  checkGiven(errors, `${at}.name`, request.name ?? '', dns1123Label);
  const { exactly, firstAvailable = [] } = request;
  if (exactly && firstAvailable.length > 0) {
    errors.push(invalid(at, request, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'));
  } else if (!exactly && firstAvailable.length === 0) {
    errors.push(required(at, 'exactly one of `exactly` or `firstAvailable` is required'));
  }
  if (exactly) checkExact(errors, `${at}.exactly`, exactly);
  if (firstAvailable.length > maxAlternatives) {
    errors.push(tooMany(`${at}.firstAvailable`, firstAvailable.length, maxAlternatives));
  }
  firstAvailable.forEach((alternative, i) => {
    checkGiven(errors, `${at}.firstAvailable[${i}].name`, alternative.name ?? '', dns1123Label);
    checkExact(errors, `${at}.firstAvailable[${i}]`, alternative);
  });
}

function checkExact(errors: FieldError[], at: string, request: t.ExactDeviceRequest | t.DeviceSubRequest): void {
  if (!request.deviceClassName) errors.push(required(`${at}.deviceClassName`));
  else requireText(errors, `${at}.deviceClassName`, request.deviceClassName, dns1123Subdomain);
  checkSelectors(errors, `${at}.selectors`, request.selectors);
  request.tolerations?.forEach((toleration, i) => {
    checkEnum(errors, `${at}.tolerations[${i}].operator`, toleration.operator, ['Equal', 'Exists']);
    if (toleration.effect)
      checkEnum(errors, `${at}.tolerations[${i}].effect`, toleration.effect, ['NoExecute', 'NoSchedule', 'None']);
  });
  const { allocationMode: mode, count = 0 } = request;
  if (mode && !modes.includes(mode)) errors.push(notSupported(`${at}.allocationMode`, mode, modes));
  else if (mode === 'All' && count !== 0) {
    const detail = "must not be specified when allocationMode is 'All'";
    errors.push(invalid(`${at}.count`, count, detail));
  } else if (mode === 'ExactCount' && count <= 0) errors.push(invalid(`${at}.count`, count, 'must be greater than zero'));
}

/** Expressions about devices; they are compiled elsewhere. */
export function checkSelectors(errors: FieldError[], field: string, selectors: readonly t.DeviceSelector[] = []): void {
  if (selectors.length > maxSelectors) errors.push(tooMany(field, selectors.length, maxSelectors));
  selectors.forEach(({ cel }, i) => {
    if (!cel) errors.push(required(`${field}[${i}].cel`));
    else if (!cel.expression?.trim()) errors.push(required(`${field}[${i}].cel.expression`));
  });
}
