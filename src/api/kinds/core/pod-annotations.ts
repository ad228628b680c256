import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { maxInt32 } from '../../validation/checks.ts';
import { forbidden, invalid } from '../../validation/errors.ts';
import { checkDescendingPath } from '../../validation/paths.ts';
import { keyed } from '../../validation/quantities.ts';
import { appArmorPrefix } from './app-armor.ts';

type Annotations = Readonly<Record<string, string>>;

const mirror = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/';

/** Annotations of pods that mean something. kubernetes: ValidatePodSpecificAnnotations. */
export function checkPodAnnotations(errors: FieldError[], field: string, annotations: Annotations = {}, spec: t.PodSpec): void {
  const names = [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap(
    (list) => list?.map((c) => c.name) ?? [],
  );
  for (const [key, value] of Object.entries(annotations)) {
    const refuse = (wrong: string, why: string): number => errors.push(invalid(keyed(field, key), wrong, why));
    if (key === mirror && !spec.nodeName) refuse(value, 'must set spec.nodeName if mirror pod annotation is set');
    if (key === deletionCost && !isInt32(value)) refuse(value, 'must be a 32bit integer');
    if (key === seccompPod || key.startsWith(seccompPrefix)) checkSeccomp(errors, `${field}.${key}`, value);
    if (!key.startsWith(appArmorPrefix)) continue;
    const container = key.slice(appArmorPrefix.length);
    if (!names.includes(container)) refuse(container, 'container not found');
    if (!/^$|^runtime\/default$|^unconfined$|^localhost\//.test(value))
      refuse(value, `invalid AppArmor profile name: ${JSON.stringify(value)}`);
  }
}

/** Mirror pods are the shadow of a file on the node: the mark can neither come nor go, nor can profiles of running containers. */
export function checkPodAnnotationsUpdate(errors: FieldError[], next: Annotations = {}, previous: Annotations = {}): void {
  for (const key of new Set([...Object.keys(previous), ...Object.keys(next)])) {
    const what = key === mirror ? 'mirror pod annotation' : key.startsWith(appArmorPrefix) ? 'AppArmor annotations' : undefined;
    if (what === undefined || next[key] === previous[key]) continue;
    const verb = previous[key] === undefined ? 'add' : 'remove or update';
    errors.push(forbidden(keyed('metadata.annotations', key), `may not ${verb} ${what}`));
  }
}

function checkSeccomp(errors: FieldError[], field: string, value: string): void {
  const local = /^localhost\/(.*)$/s.exec(value)?.[1];
  if (local === undefined) {
    if (!['runtime/default', 'docker/default', 'unconfined'].includes(value)) {
      errors.push(invalid(field, value, 'must be a valid seccomp profile'));
    }
    return;
  }
  checkDescendingPath(errors, field, local);
}

const isInt32 = (text: string): boolean =>
  /^(0|-\d+|[1-9]\d*)$/.test(text) && Number(text) <= maxInt32 && Number(text) >= -maxInt32 - 1;
