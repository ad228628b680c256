import { formatQuantity } from '../../../lib/quantity.ts';
import type * as t from '../../generated/types.ts';
import { aggregateRequest } from './pod-resources-validation.ts';
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
  // A feature that 1.36 leaves off.
  if (spec.schedulingGroup) delete spec.schedulingGroup;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

/** Defaults that only real pods have. */
export function defaultPodOnly(spec: t.PodSpec): void {
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
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
    if (requests[resource] !== undefined) continue;
    const needed = aggregateRequest(spec, resource);
    const wanted = needed.nanos > 0n ? formatQuantity(needed) : resources.limits?.[resource];
    if (wanted) requests[resource] = wanted;
  }
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
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
  }
  if (container.livenessProbe) defaultProbe(container.livenessProbe);
  if (container.readinessProbe) defaultProbe(container.readinessProbe);
  if (container.startupProbe) defaultProbe(container.startupProbe);
  if (container.lifecycle) defaultLifecycle(container, container.lifecycle);
}

function defaultLifecycle(container: t.Container | t.EphemeralContainer, lifecycle: t.Lifecycle): void {
  defaultHttpGet(lifecycle.postStart?.httpGet);
  defaultHttpGet(lifecycle.preStop?.httpGet);
  if (!lifecycle.stopSignal) return;
  // A feature that 1.36 leaves off; a lifecycle that says nothing else is dropped with it.
  delete lifecycle.stopSignal;
  if (!lifecycle.postStart && !lifecycle.preStop) delete container.lifecycle;
}

const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
const imageName = new RegExp(
  `^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\\d+)?/)?${part}(?:/${part})*(?::\\w[\\w.-]{0,127})?(?:@[\\w+.-]+:[0-9a-fA-F]+)?$`,
);

/** `Always` for `:latest` and for images with neither tag nor digest. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  // Neither a name nor a tag can look like this: nothing is assumed about it.
  if (!imageName.test(image)) return 'IfNotPresent';
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
  if (volume.scaleIO) defaultScaleIo(volume.scaleIO);
}

function hasSource(volume: t.Volume): boolean {
  for (const key in volume) if (key !== 'name' && volume[key as keyof t.Volume]) return true;
  return false;
}

function defaultProjected(projected: t.ProjectedVolumeSource): void {
  projected.defaultMode ??= defaultFileMode;
  for (const source of projected.sources ?? []) {
    // Features that 1.36 has switched off: what asks for them is dropped.
    delete source.clusterTrustBundle;
    delete source.podCertificate;
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
  disk.cachingMode ??= 'ReadWrite';
  disk.kind ??= 'Shared';
  disk.fsType ??= 'ext4';
  disk.readOnly ??= false;
}

/** Also for volumes of kind PersistentVolume. */
export function defaultScaleIo(source: t.ScaleIOVolumeSource | t.ScaleIOPersistentVolumeSource): void {
  source.storageMode ||= 'ThinProvisioned';
  source.fsType ||= 'xfs';
}

/** The spec of a claim, also where it is a template. */
export function defaultClaimSpec(spec: t.PersistentVolumeClaimSpec): void {
  spec.resources ??= {};
  canonicalResources(spec.resources.limits);
  canonicalResources(spec.resources.requests);
  spec.volumeMode ??= 'Filesystem';
}
