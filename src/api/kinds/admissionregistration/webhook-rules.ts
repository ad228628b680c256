import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkGiven } from '../../validation/checks.ts';
import { duplicate, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.ts';
import { checkWebhookClient } from '../webhook-client.ts';
import { checkMatchConditions, checkRules, defaultRules, failurePolicies } from './rules.ts';

const defaultTimeoutSeconds = 10;
const maxTimeoutSeconds = 30;
const defaultServicePort = 443;
const reviewVersions = ['v1', 'v1beta1'];
const minNameSegments = 3;

type Webhook = t.ValidatingWebhook & Pick<t.MutatingWebhook, 'reinvocationPolicy'>;

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= defaultTimeoutSeconds;
  const service = webhook.clientConfig?.service;
  if (service) service.port ??= defaultServicePort;
  defaultRules(webhook.rules);
}

export function checkWebhooks(errors: FieldError[], webhooks: readonly Webhook[] | undefined): void {
  const names = new Set<string>();
  webhooks?.forEach((webhook, i) => {
    const at = `webhooks[${i}]`;
    checkWebhook(errors, at, webhook);
    if (names.has(webhook.name)) errors.push(duplicate(`${at}.name`, webhook.name));
    names.add(webhook.name);
  });
}

function checkWebhook(errors: FieldError[], at: string, webhook: Webhook): void {
  checkName(errors, `${at}.name`, webhook.name);
  checkLabelSelector(errors, `${at}.namespaceSelector`, webhook.namespaceSelector);
  checkLabelSelector(errors, `${at}.objectSelector`, webhook.objectSelector);
  checkRules(errors, `${at}.rules`, webhook.rules);
  checkEnum(errors, `${at}.failurePolicy`, webhook.failurePolicy, failurePolicies);
  checkEnum(errors, `${at}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']);
  const effects = ['None', 'NoneOnDryRun'];
  if (webhook.sideEffects === undefined) errors.push(required(`${at}.sideEffects`, `must specify one of ${effects.join(', ')}`));
  else if (!effects.includes(webhook.sideEffects)) {
    errors.push(notSupported(`${at}.sideEffects`, webhook.sideEffects, effects));
  }
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > maxTimeoutSeconds)) {
    errors.push(invalid(`${at}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds'));
  }
  checkEnum(errors, `${at}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']);
  if (!webhook.clientConfig) errors.push(required(`${at}.clientConfig`, 'exactly one of url or service is required'));
  else checkWebhookClient(errors, `${at}.clientConfig`, webhook.clientConfig);
  checkReviewVersions(errors, `${at}.admissionReviewVersions`, webhook.admissionReviewVersions ?? []);
  checkMatchConditions(errors, `${at}.matchConditions`, webhook.matchConditions);
}

function checkName(errors: FieldError[], field: string, name: string | undefined): void {
  if (!name) {
    errors.push(required(field));
    return;
  }
  const problems = dns1123Subdomain(name);
  if (problems.length > 0) errors.push(invalid(field, name, problems.join(',')));
  else if (name.split('.').length < minNameSegments) {
    errors.push(invalid(field, name, 'should be a domain with at least three segments separated by dots'));
  }
}

function checkReviewVersions(errors: FieldError[], field: string, versions: readonly string[]): void {
  if (versions.length === 0) {
    errors.push(required(field, `must specify one of ${reviewVersions.join(', ')}`));
    return;
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.push(invalid(`${field}[${i}]`, version, 'duplicate version'));
    checkGiven(errors, `${field}[${i}]`, version, dns1035Label);
  });
  if (!versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  }
}
