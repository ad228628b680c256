import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { timestamp } from '../../timestamp.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkSignerName } from './signer-name.ts';

type Request = t.CertificateSigningRequest;

const minExpirationSeconds = 600;
const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const decisions = ['Approved', 'Denied'];
const pemHeader = '-----BEGIN CERTIFICATE REQUEST-----';
const certificateHeader = '-----BEGIN CERTIFICATE-----';

/** Everything but the signature of the request, which needs cryptography. kubernetes: pkg/apis/certificates/validation. */
export function validateRequest({ spec, status }: Request): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  if (!decodedStartsWith(spec.request ?? '', pemHeader)) {
    errors.push(invalid('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'));
  }
  const wanted = spec.usages ?? [];
  if (wanted.length === 0) errors.push(required('spec.usages'));
  wanted.forEach((usage, i) => {
    if (!usages.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, usages));
    if (wanted.indexOf(usage) < i) errors.push(duplicate(`spec.usages[${i}]`, usage));
  });
  if (spec.signerName === 'kubernetes.io/legacy-unknown') {
    errors.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'));
  } else checkSignerName(errors, 'spec.signerName', spec.signerName);
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < minExpirationSeconds) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalid('spec.expirationSeconds', seconds, detail));
  }
  checkConditions(errors, status?.conditions ?? []);
  return errors;
}

function checkConditions(errors: FieldError[], conditions: readonly t.CertificateSigningRequestCondition[]): void {
  conditions.forEach(({ type, status }, i) => {
    const field = `status.conditions[${i}]`;
    if (!type) errors.push(required(`${field}.type`));
    const allowed = ['Approved', 'Denied', 'Failed'].includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (!status) errors.push(required(`${field}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${field}.status`, status, allowed));
    if (conditions.findIndex((c) => c.type === type) < i) errors.push(duplicate(`${field}.type`, type));
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (other && conditions.slice(0, i).some((c) => c.type === other)) {
      errors.push(invalid('status.conditions', type, 'Approved and Denied conditions are mutually exclusive'));
    }
  });
}

function decodedStartsWith(base64: string, text: string): boolean {
  try {
    return atob(base64).trimStart().startsWith(text);
  } catch {
    return false;
  }
}

const withType = (request: Request, type: string): t.CertificateSigningRequestCondition[] =>
  (request.status?.conditions ?? []).filter((c) => c.type === type);

/** `/status` cannot decide: it keeps the decisions that were made. */
export function keepDecisions(next: Request, previous: Request): void {
  const conditions = next.status?.conditions;
  if (!conditions) return;
  for (const type of decisions) {
    const before = withType(previous, type);
    if (before.length !== withType(next, type).length) continue;
    let used = 0;
    conditions.forEach((condition, i) => {
      if (condition.type === type) conditions[i] = before[used++] ?? condition;
    });
  }
}

/** Times that a client left out. */
export function stampConditions(next: Request, previous: Request, nowMs: number): void {
  const now = timestamp(nowMs);
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    const same = withType(previous, condition.type).find((c) => c.status === condition.status);
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? now;
  }
}

/** What `/status` may not do: decide, or replace a certificate. */
export function validateStatus(next: Request, previous: Request): FieldError[] {
  const errors = [...validateRequest(next), ...removedConditions(next, previous)];
  for (const type of decisions) {
    const [before, after] = [withType(previous, type), withType(next, type)];
    if (after.length > before.length) {
      errors.push(forbidden('status.conditions', `updates may not add a condition of type "${type}"`));
    } else if (after.length === before.length && !semanticEqual(before, after)) {
      errors.push(forbidden('status.conditions', `updates may not modify a condition of type "${type}"\n`));
    }
  }
  const { certificate } = next.status ?? {};
  if (previous.status?.certificate && certificate !== previous.status.certificate) {
    errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
  }
  if (certificate && !decodedStartsWith(certificate, certificateHeader)) {
    const detail = 'must contain at least one CERTIFICATE PEM block';
    errors.push(invalid('status.certificate', '<certificate data>', detail));
  }
  return errors;
}

/** What `/approval` may not do: issue, or take a decision back. */
export function validateApproval(next: Request, previous: Request): FieldError[] {
  const errors = [...validateRequest(next), ...removedConditions(next, previous)];
  if (!semanticEqual(next.status?.certificate, previous.status?.certificate)) {
    errors.push(forbidden('status.certificate', 'updates may not set certificate content'));
  }
  return errors;
}

function removedConditions(next: Request, previous: Request): FieldError[] {
  return [...decisions, 'Failed']
    .filter((type) => withType(next, type).length < withType(previous, type).length)
    .map((type) => forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
}
