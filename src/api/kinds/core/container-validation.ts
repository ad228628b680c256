import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkPort, requireEnum, requireText } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notFound, notSupported, required, tooMany } from '../../validation/errors.ts';
import { dns1123Label, portName } from '../../validation/names.ts';
import { checkRequirements } from '../../validation/quantities.ts';
import { checkEnv, checkEnvFrom } from './env-validation.ts';
import { checkMounts } from './mount-validation.ts';
import { checkClaimNames } from './pod-resources-validation.ts';
import { checkLifecycle, checkProbes } from './probe-validation.ts';
import { checkSecurityContext } from './security-validation.ts';

/** What containers are checked against. */
export interface PodContext {
  readonly spec: t.PodSpec;
  /** Real pods are checked more strictly than templates. */
  readonly isPod: boolean;
  readonly volumes: ReadonlyMap<string, t.Volume>;
}

export const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const restartActions = ['Restart', 'RestartAllContainers'];
const maxRestartRules = 20;
const maxExitCodes = 255;

/** All lists of containers of a pod. kubernetes: pkg/apis/core/validation/validation.go. */
export function checkContainers(errors: FieldError[], field: string, pod: PodContext): void {
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  if (!containers || containers.length === 0) errors.push(required(`${field}.containers`));
  else checkMainContainers(errors, `${field}.containers`, containers, pod);
  if (initContainers?.length) checkInitContainers(errors, `${field}.initContainers`, initContainers, pod);
  if (ephemeralContainers?.length) checkEphemeralContainers(errors, `${field}.ephemeralContainers`, ephemeralContainers, pod);
}

function checkMainContainers(errors: FieldError[], field: string, containers: t.Container[], pod: PodContext): void {
  const names = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!;
    const at = `${field}[${i}]`;
    checkContainer(errors, at, container, pod);
    checkUniqueName(errors, at, container.name, names);
    checkLifecycle(errors, `${at}.lifecycle`, container.lifecycle, pod.spec);
    checkProbes(errors, at, container);
    checkRestartPolicy(errors, at, container);
  }
  checkHostPorts(errors, field, containers);
}

function checkInitContainers(errors: FieldError[], field: string, containers: t.Container[], pod: PodContext): void {
  const names = new Set((pod.spec.containers ?? []).map((c) => c.name));
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!;
    const at = `${field}[${i}]`;
    checkContainer(errors, at, container, pod);
    checkRestartPolicy(errors, at, container);
    checkUniqueName(errors, at, container.name, names);
    checkHostPorts(errors, field, [container]);
    if (container.restartPolicy === 'Always') {
      checkLifecycle(errors, `${at}.lifecycle`, container.lifecycle, pod.spec);
      checkProbes(errors, at, container);
    } else {
      forbidSidecarFields(errors, at, container);
      checkNoRestartOnResize(errors, at, container);
    }
  }
}

function forbidSidecarFields(errors: FieldError[], at: string, container: t.Container): void {
  const detail = 'may not be set for init containers without restartPolicy=Always';
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[field]) errors.push(forbidden(`${at}.${field}`, detail));
  }
}

function checkNoRestartOnResize(errors: FieldError[], at: string, { resizePolicy = [] }: t.Container): void {
  resizePolicy.forEach(({ restartPolicy }, i) => {
    if (restartPolicy !== 'RestartContainer') return;
    const field = `${at}.resizePolicy[${i}].restartPolicy`;
    errors.push(invalid(field, restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"));
  });
}

const forbiddenForEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

function checkEphemeralContainers(errors: FieldError[], field: string, list: t.EphemeralContainer[], pod: PodContext): void {
  const detail = 'cannot be set for an Ephemeral Container';
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((c) => c.name));
  const names = new Set(others);
  list.forEach((container, i) => {
    const at = `${field}[${i}]`;
    checkContainer(errors, at, container, pod);
    checkUniqueName(errors, at, container.name, names);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(notFound(`${at}.targetContainerName`, target));
    for (const name of forbiddenForEphemeral) {
      const value = container[name];
      if (value && Object.keys(value).length > 0) errors.push(forbidden(`${at}.${name}`, detail));
    }
    container.volumeMounts?.forEach((mount, m) => {
      if (mount.subPath) errors.push(forbidden(`${at}.volumeMounts[${m}].subPath`, detail));
      if (mount.subPathExpr) errors.push(forbidden(`${at}.volumeMounts[${m}].subPathExpr`, detail));
    });
  });
}

function checkUniqueName(errors: FieldError[], at: string, name: string, names: Set<string>): void {
  if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
  else if (name) names.add(name);
}

/** What all containers have in common. */
function checkContainer(errors: FieldError[], at: string, container: t.Container | t.EphemeralContainer, pod: PodContext): void {
  requireText(errors, `${at}.name`, container.name, dns1123Label);
  checkImage(errors, `${at}.image`, container.image, pod.isPod);
  requireEnum(errors, `${at}.terminationMessagePolicy`, container.terminationMessagePolicy, messagePolicies);
  if (container.ports) checkPorts(errors, `${at}.ports`, container.ports);
  if (container.env) checkEnv(errors, `${at}.env`, container.env);
  if (container.envFrom) checkEnvFrom(errors, `${at}.envFrom`, container.envFrom);
  checkMounts(errors, at, container, pod.volumes);
  requireEnum(errors, `${at}.imagePullPolicy`, container.imagePullPolicy, pullPolicies);
  checkRequirements(errors, `${at}.resources`, container.resources);
  if (container.resources?.claims) checkClaimNames(errors, `${at}.resources.claims`, container.resources.claims, pod.spec);
  if (container.resizePolicy) checkResizePolicy(errors, `${at}.resizePolicy`, container.resizePolicy, pod.spec);
  if (container.securityContext) {
    checkSecurityContext(errors, `${at}.securityContext`, container.securityContext, pod.spec.hostUsers !== false);
  }
}

function checkImage(errors: FieldError[], at: string, image: string | undefined, isPod: boolean): void {
  if (!image) errors.push(required(at));
  else if (isPod && image !== image.trim()) errors.push(invalid(at, image, 'must not have leading or trailing whitespace'));
}

function checkPorts(errors: FieldError[], field: string, ports: t.ContainerPort[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = `${field}[${i}]`;
    if (port.name) {
      const problems = portName(port.name);
      for (const problem of problems) errors.push(invalid(`${at}.name`, port.name, problem));
      if (problems.length === 0 && names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`));
    else checkPort(errors, `${at}.containerPort`, port.containerPort);
    if (port.hostPort) checkPort(errors, `${at}.hostPort`, port.hostPort);
    requireEnum(errors, `${at}.protocol`, port.protocol, protocols);
  });
}

/** Two containers cannot have one port of the host. */
function checkHostPorts(errors: FieldError[], field: string, containers: readonly t.Container[]): void {
  let taken: Set<string> | undefined;
  containers.forEach((container, i) => {
    container.ports?.forEach((port, p) => {
      if (!port.hostPort) return;
      taken ??= new Set();
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) errors.push(duplicate(`${field}[${i}].ports[${p}].hostPort`, key));
      else taken.add(key);
    });
  });
}

function checkRestartPolicy(errors: FieldError[], at: string, container: t.Container): void {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  if (restartPolicy === undefined || restartPolicy === null) {
    if (rules.length > 0) {
      errors.push(required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
    }
  } else if (!restartPolicies.includes(restartPolicy)) {
    errors.push(notSupported(`${at}.restartPolicy`, restartPolicy, restartPolicies));
  }
  if (rules.length > maxRestartRules) errors.push(tooMany(`${at}.restartPolicyRules`, rules.length, maxRestartRules));
  rules.forEach((rule, i) => {
    const field = `${at}.restartPolicyRules[${i}]`;
    if (!restartActions.includes(rule.action)) errors.push(notSupported(`${field}.action`, rule.action ?? '', restartActions));
    if (!rule.exitCodes) {
      errors.push(required(`${field}.exitCodes`, 'must be specified'));
      return;
    }
    const { operator, values = [] } = rule.exitCodes;
    if (operator !== 'In' && operator !== 'NotIn') {
      errors.push(notSupported(`${field}.exitCodes.operator`, operator ?? '', ['In', 'NotIn']));
    }
    if (values.length > maxExitCodes) errors.push(tooMany(`${field}.exitCodes.values`, values.length, maxExitCodes));
  });
}

const resizeResources = ['cpu', 'memory'];
const resizePolicies = ['NotRequired', 'RestartContainer'];

function checkResizePolicy(errors: FieldError[], field: string, policies: t.ContainerResizePolicy[], spec: t.PodSpec): void {
  const seen = new Set<string>();
  policies.forEach((policy, i) => {
    if (seen.has(policy.resourceName)) errors.push(duplicate(`${field}[${i}]`, policy.resourceName));
    seen.add(policy.resourceName);
    requireEnum(errors, field, policy.resourceName, resizeResources);
    requireEnum(errors, field, policy.restartPolicy, resizePolicies);
    if (spec.restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') {
      errors.push(invalid(field, policy.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  });
}
