import { addQuantities, formatQuantity, parseQuantity, type Quantity, zeroQuantity } from '../../../lib/quantity.ts';
import type * as t from '../../generated/types.ts';
import { canonicalQuantity, canonicalResources } from './resource-list.ts';

/**
 * Defaults of pods and of everything that carries a pod template. Facts: kubernetes: pkg/apis/core/v1/defaults.go and the `+default`
 * markers of the API types.
 */

const defaultTerminationGracePeriodSeconds = 30;
const defaultSchedulerName = 'default-scheduler';
const defaultFileMode = 0o644;
const defaultTokenLifetimeSeconds = 3600;

/** The template of a workload: what a PodSpec has by default, but nothing that only pods have. */
export function defaultPodTemplate(holder: { template?: t.PodTemplateSpec }): void {
  const template = (holder.template ??= {});
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
}

/** Defaults of a PodSpec, wherever it is embedded. */
export function defaultPodSpec(spec: t.PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= defaultTerminationGracePeriodSeconds;
  spec.schedulerName ||= defaultSchedulerName;
  canonicalResources(spec.overhead);
  canonicalResources(spec.resources?.limits);
  canonicalResources(spec.resources?.requests);
  // Two names of one field: old clients read the deprecated one.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

/** Defaults that only real pods have. */
export function defaultPodOnly(spec: t.PodSpec): void {
  for (const list of [spec.containers, spec.initContainers]) {
    for (const container of list ?? []) {
      defaultRequests(container);
      if (spec.hostNetwork) defaultHostPorts(container);
    }
  }
  if (spec.resources?.limits) defaultPodRequests(spec, spec.resources);
  spec.enableServiceLinks ??= true;
}

/** Requests of a pod that has limits as a whole: what its containers ask for together, else the limit. */
function defaultPodRequests(spec: t.PodSpec, resources: t.ResourceRequirements): void {
  const requests = (resources.requests ??= {});
  for (const resource of ['cpu', 'memory']) {
    requests[resource] ??= effectiveRequest(spec, resource) ?? resources.limits?.[resource] ?? '';
    if (!requests[resource]) delete requests[resource];
  }
}

/** The containers together, or the largest init container on top of the sidecars; undefined when none asks. */
function effectiveRequest(spec: t.PodSpec, resource: string): string | undefined {
  const amountOf = (container: t.Container): Quantity =>
    parseQuantity(container.resources?.requests?.[resource] ?? '0') ?? zeroQuantity;
  let running = zeroQuantity;
  let peak = zeroQuantity;
  for (const container of spec.initContainers ?? []) {
    const starting = addQuantities(running, amountOf(container));
    if (container.restartPolicy === 'Always') running = starting;
    if (starting.nanos > peak.nanos) peak = starting;
  }
  for (const container of spec.containers ?? []) running = addQuantities(running, amountOf(container));
  const needed = running.nanos > peak.nanos ? running : peak;
  return needed.nanos > 0n ? formatQuantity(needed) : undefined;
}

/** A limit without a request is also the request. */
function defaultRequests(container: t.Container): void {
  const limits = container.resources?.limits;
  if (!limits || !container.resources) return;
  const requests = (container.resources.requests ??= {});
  for (const resource in limits) requests[resource] ??= limits[resource] ?? '0';
}

function defaultHostPorts(container: t.Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

function defaultContainer(container: t.Container): void {
  container.resources ??= {};
  canonicalResources(container.resources.limits);
  canonicalResources(container.resources.requests);
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '');
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1';
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ||= '0';
  }
  if (container.livenessProbe) defaultProbe(container.livenessProbe);
  if (container.readinessProbe) defaultProbe(container.readinessProbe);
  if (container.startupProbe) defaultProbe(container.startupProbe);
  defaultHttpGet(container.lifecycle?.postStart?.httpGet);
  defaultHttpGet(container.lifecycle?.preStop?.httpGet);
}

/** `Always` for `:latest` and for images with neither tag nor digest. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const floating = colon < 0 ? at < 0 : name.slice(colon + 1) === 'latest';
  return floating ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: t.Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= '';
}

function defaultHttpGet(action: t.HTTPGetAction | undefined): void {
  if (!action) return;
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

function defaultVolume(volume: t.Volume): void {
  if (!hasSource(volume)) volume.emptyDir = {};
  if (volume.emptyDir?.sizeLimit) volume.emptyDir.sizeLimit = canonicalQuantity(volume.emptyDir.sizeLimit);
  if (volume.secret) volume.secret.defaultMode ??= defaultFileMode;
  if (volume.configMap) volume.configMap.defaultMode ??= defaultFileMode;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= defaultFileMode;
    defaultDownwardItems(volume.downwardAPI.items);
  }
  if (volume.projected) defaultProjected(volume.projected);
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '');
  if (volume.ephemeral?.volumeClaimTemplate) {
    volume.ephemeral.volumeClaimTemplate.spec ??= {};
    defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec);
  }
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd) defaultRbd(volume.rbd);
  if (volume.azureDisk) defaultAzureDisk(volume.azureDisk);
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
}

function hasSource(volume: t.Volume): boolean {
  for (const key in volume) if (key !== 'name' && volume[key as keyof t.Volume]) return true;
  return false;
}

function defaultProjected(projected: t.ProjectedVolumeSource): void {
  projected.defaultMode ??= defaultFileMode;
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= defaultTokenLifetimeSeconds;
    defaultDownwardItems(source.downwardAPI?.items);
  }
}

function defaultDownwardItems(items: readonly t.DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of items ?? []) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ||= '0';
  }
}

/** Also for volumes of kind PersistentVolume. */
export function defaultRbd(rbd: t.RBDVolumeSource | t.RBDPersistentVolumeSource): void {
  rbd.pool ||= 'rbd';
  rbd.user ||= 'admin';
  rbd.keyring ||= '/etc/ceph/keyring';
}

/** Also for volumes of kind PersistentVolume. */
export function defaultAzureDisk(disk: t.AzureDiskVolumeSource): void {
  disk.cachingMode ||= 'ReadWrite';
  disk.kind ||= 'Shared';
  disk.fsType ||= 'ext4';
  disk.readOnly ??= false;
}

/** The spec of a claim, also where it is a template. */
export function defaultClaimSpec(spec: t.PersistentVolumeClaimSpec): void {
  spec.resources ??= {};
  canonicalResources(spec.resources.limits);
  canonicalResources(spec.resources.requests);
  spec.volumeMode ??= 'Filesystem';
}
