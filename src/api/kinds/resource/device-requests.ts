import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { requireText } from '../../validation/checks.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';

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
    if (names.has(request.name)) errors.push(duplicate(`${field}[${i}].name`, request.name));
    names.add(request.name);
  });
  constraints.forEach((constraint, i) => {
    constraint.requests?.forEach((name, r) => {
      if (names.has(name.split('/')[0] ?? '')) return;
      const detail = 'must be the name of a request in the claim or the name of a request and a subrequest separated by a slash';
      errors.push(invalid(`${at}.devices.constraints[${i}].requests[${r}]`, name, detail));
    });
  });
}

function checkRequest(errors: FieldError[], at: string, request: t.DeviceRequest): void {
  requireText(errors, `${at}.name`, request.name, dns1123Label);
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
    requireText(errors, `${at}.firstAvailable[${i}].name`, alternative.name, dns1123Label);
    checkExact(errors, `${at}.firstAvailable[${i}]`, alternative);
  });
}

function checkExact(errors: FieldError[], at: string, request: t.ExactDeviceRequest | t.DeviceSubRequest): void {
  if (!request.deviceClassName) errors.push(required(`${at}.deviceClassName`));
  else requireText(errors, `${at}.deviceClassName`, request.deviceClassName, dns1123Subdomain);
  checkSelectors(errors, `${at}.selectors`, request.selectors);
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
