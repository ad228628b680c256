import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkGiven, checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { duplicate, invalid, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { checkCsiDriverName } from '../core/volume-source-validation.ts';

const maxNodeIdLength = 192;

export type CSINode = t.CSINode;
export const CSINode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  scope: 'Cluster',
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  applyDefaults(node) {
    node.spec ??= { drivers: [] };
    node.spec.drivers ??= [];
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const names = new Set<string>();
    spec?.drivers?.forEach((driver, i) => {
      const at = `spec.drivers[${i}]`;
      checkCsiDriverName(errors, `${at}.name`, driver.name);
      if (names.has(driver.name)) errors.push(duplicate(`${at}.name`, driver.name));
      names.add(driver.name);
      checkDriver(errors, at, driver);
    });
    return errors;
  },
  /** A driver stays as it registered, but for how many volumes it takes. */
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    next.spec.drivers?.forEach((driver) => {
      const before = previous.spec.drivers?.find((d) => d.name === driver.name);
      if (!before) return;
      const { allocatable: _next, ...fixed } = driver;
      const { allocatable: _previous, ...was } = before;
      checkImmutable(errors, 'spec.drivers', fixed, was);
    });
    return errors;
  },
  columns: [nameColumn, { name: 'Drivers', type: 'integer', cell: (node) => node.spec?.drivers?.length ?? 0 }, ageColumn],
});

function checkDriver(errors: FieldError[], at: string, { nodeID, allocatable, topologyKeys = [] }: t.CSINodeDriver): void {
  if (!nodeID) errors.push(required(`${at}.nodeID`));
  else if (nodeID.length > maxNodeIdLength) {
    errors.push(invalid(`${at}.nodeID`, nodeID, `must be ${maxNodeIdLength} characters or less`));
  }
  checkNonNegative(errors, `${at}.allocatable.count`, allocatable?.count);
  topologyKeys.forEach((key, i) => {
    if (!key) errors.push(required(at));
    if (topologyKeys.indexOf(key) < i) errors.push(duplicate(at, key));
    checkGiven(errors, at, key, qualifiedName);
  });
}
