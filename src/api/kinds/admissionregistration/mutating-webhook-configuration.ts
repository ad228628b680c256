import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { counted } from '../strategy.ts';
import { checkWebhooks, defaultWebhook } from './webhook-rules.ts';

export type MutatingWebhookConfiguration = t.MutatingWebhookConfiguration;
export const MutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  allowUnconditionalUpdate: false,
  applyDefaults(configuration) {
    for (const webhook of configuration.webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  ...counted,
  validate({ webhooks }) {
    const errors: FieldError[] = [];
    checkWebhooks(errors, webhooks);
    return errors;
  },
  columns: [nameColumn, { name: 'Webhooks', type: 'integer', cell: (c) => c.webhooks?.length ?? 0 }, ageColumn],
});
