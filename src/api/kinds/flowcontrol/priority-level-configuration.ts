import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { repeatedConditions } from './condition-types.ts';
import { mandatory, standardLevels } from './standard.ts';

const defaultShares = 30;
const defaultHandSize = 8;
const defaultQueues = 64;
const defaultQueueLength = 50;
const maxQueues = 10_000_000;

export type PriorityLevelConfiguration = t.PriorityLevelConfiguration;
export const PriorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  scope: 'Cluster',
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  applyDefaults({ spec }) {
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (!spec?.limited) return;
    spec.limited.nominalConcurrencyShares ??= defaultShares;
    spec.limited.lendablePercent ??= 0;
    const queuing = spec.limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.handSize ||= defaultHandSize;
    queuing.queues ||= defaultQueues;
    queuing.queueLengthLimit ||= defaultQueueLength;
  },
  ...countedWithStatus,
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validateStatusUpdate: ({ status }) => repeatedConditions(status?.conditions),
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    const { type, limited, exempt } = spec;
    if ((metadata.name === 'exempt') !== (type === 'Exempt')) {
      errors.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"));
    }
    if (type === 'Exempt') {
      if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
      if (exempt) checkShares(errors, 'spec.exempt', exempt);
    } else if (type === 'Limited') {
      if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
      if (!limited) errors.push(required('spec.limited', 'must not be empty when type is Limited'));
      else checkLimited(errors, 'spec.limited', limited);
    } else errors.push(notSupported('spec.type', type ?? '', ['Exempt', 'Limited']));
    checkFixed(errors, metadata.name, spec);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: ({ spec }) => spec?.type ?? '' },
    { name: 'NominalConcurrencyShares', type: 'string', cell: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? none },
    { name: 'Queues', type: 'string', cell: (level) => queuing(level)?.queues ?? none },
    { name: 'HandSize', type: 'string', cell: (level) => queuing(level)?.handSize ?? none },
    { name: 'QueueLengthLimit', type: 'string', cell: (level) => queuing(level)?.queueLengthLimit ?? none },
    ageColumn,
  ],
});

const queuing = ({ spec }: PriorityLevelConfiguration): t.QueuingConfiguration | undefined =>
  spec?.limited?.limitResponse?.queuing;

/** The mandatory levels are as they are; of the exempt one the shares may change. */
function checkFixed(errors: FieldError[], name: string, spec: t.PriorityLevelConfigurationSpec): void {
  if (!mandatory.includes(name)) return;
  const fixed = standardLevels.get(name)!;
  if (!fixed.exempt) {
    if (!semanticEqual(spec, fixed)) errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  } else if (!semanticEqual({ ...spec, exempt: fixed.exempt }, fixed)) {
    errors.push(invalid('spec', spec, `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`));
  }
}

function checkShares(errors: FieldError[], at: string, level: t.ExemptPriorityLevelConfiguration): void {
  const { nominalConcurrencyShares: shares = 0, lendablePercent: lendable = 0 } = level;
  if (shares < 0) errors.push(invalid(`${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  if (lendable < 0 || lendable > 100) {
    errors.push(invalid(`${at}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'));
  }
}

function checkLimited(errors: FieldError[], at: string, limited: t.LimitedPriorityLevelConfiguration): void {
  checkShares(errors, at, limited);
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    errors.push(invalid(`${at}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  }
  const { type = '', queuing: queues } = limited.limitResponse ?? {};
  const field = `${at}.limitResponse`;
  if (type === 'Reject') {
    if (queues) errors.push(forbidden(`${field}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type === 'Queue') {
    if (!queues) errors.push(required(`${field}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
    else checkQueues(errors, `${field}.queuing`, queues);
  } else errors.push(notSupported(`${field}.type`, type, ['Queue', 'Reject']));
}

function checkQueues(errors: FieldError[], at: string, configuration: t.QueuingConfiguration): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = configuration;
  if (queueLengthLimit <= 0) errors.push(invalid(`${at}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${at}.queues`, queues, 'must be positive'));
  else if (queues > maxQueues) {
    errors.push(invalid(`${at}.queues`, queues, `must not be greater than ${maxQueues}`));
  }
  if (handSize <= 0) errors.push(invalid(`${at}.handSize`, handSize, 'must be positive'));
  else if (handSize > queues) {
    errors.push(invalid(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`));
  }
}
