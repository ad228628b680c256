import type { Binding as BindingType } from '../../../api/generated/types.ts';
import { Binding } from '../../../api/kinds/core/binding.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { AnyObject } from '../../../api/meta.ts';
import { badRequest, conflict, invalid, methodNotAllowed } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { readObject } from '../../handlers/body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from '../../handlers/context.ts';
import type { Answer } from '../../http/exchange.ts';
import { valueAnswer } from '../../http/status-answer.ts';
import { notAsStored } from '../../registry/system-fields.ts';
import type { PostedSubresource, SubresourceContext } from '../subresource.ts';

const podsBinding = { group: '', plural: 'pods/binding', kind: 'Binding' };

/** `POST pods/<name>/binding`: the scheduler's decision (kubernetes: pkg/registry/core/pod/storage/storage.go BindingREST). */
export const podBinding: PostedSubresource = {
  body: Binding,
  async post(context, body) {
    const binding = body as unknown as BindingType;
    if (binding.metadata.name !== context.key.name) {
      throw badRequest('name in URL does not match name in Binding object');
    }
    await bind(context, binding);
    return { code: 201, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
  },
};

async function bind(context: SubresourceContext, binding: BindingType): Promise<void> {
  const { deps, call, key } = context;
  checkTarget(binding);
  await deps.registry.update(call, Pod, {
    key,
    unconditional: true,
    // What the server does for the scheduler has no owner.
    managersAreTracked: true,
    rules: { subresource: 'binding', prepare: () => {}, validate: () => [] },
    transform(current) {
      const pod = current!;
      assign(pod, binding, deps.clock.now());
      return pod;
    },
  });
}

function checkTarget(binding: BindingType): void {
  const { kind, name } = binding.target ?? {};
  const errors = [];
  if (kind && kind !== 'Node') {
    const message = `Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`;
    errors.push({ reason: 'FieldValueNotSupported' as const, field: 'target.kind', message });
  }
  if (!name) errors.push({ reason: 'FieldValueRequired' as const, field: 'target.name', message: 'Required value' });
  if (errors.length > 0) throw invalid(Binding, binding.metadata.name ?? '', errors);
}

function assign(pod: Pod, binding: BindingType, nowMs: number): void {
  const { name } = pod.metadata;
  const refuse = (why: string): Error => conflict(podsBinding, name, why);
  const { uid, resourceVersion } = binding.metadata;
  if (uid && uid !== pod.metadata.uid) {
    throw notAsStored(Pod, pod.metadata, `UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
  }
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
    const versions = `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`;
    throw notAsStored(Pod, pod.metadata, versions);
  }
  if (pod.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  pod.spec.nodeName = binding.target.name ?? '';
  Object.assign((pod.metadata.annotations ??= {}), binding.metadata.annotations);
  Object.assign((pod.metadata.labels ??= {}), binding.metadata.labels);
  if (Object.keys(pod.metadata.annotations).length === 0) delete pod.metadata.annotations;
  if (Object.keys(pod.metadata.labels).length === 0) delete pod.metadata.labels;
  setScheduled(pod, nowMs);
}

function setScheduled(pod: Pod, nowMs: number): void {
  const conditions = (pod.status.conditions ?? []).filter((c) => c.type !== 'PodScheduled');
  const condition = { type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(nowMs) };
  pod.status.conditions = [...conditions, condition];
}

/** `POST bindings`: the old way to bind, by the name in the body. */
export async function postedBindings(deps: HandlerDeps, { exchange, kind, namespace }: Target): Promise<Answer> {
  if (exchange.info.verb !== 'create' || namespace === undefined) throw methodNotAllowed();
  const binding = await readObject(exchange, kind, fieldValidationOf(exchange.query, 'CreateOptions'));
  const { name } = binding.metadata;
  if (!name) throw badRequest('Name parameter required.');
  const call = callOf(exchange, 'CreateOptions');
  const { code, object } = await podBinding.post({ deps, call, kind: Pod, key: { namespace, name } }, binding as AnyObject);
  return valueAnswer(exchange, code, object);
}
