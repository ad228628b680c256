import type { Kind } from '../../../api/kind.ts';
import { FlowSchema } from '../../../api/kinds/flowcontrol/flow-schema.ts';
import { PriorityLevelConfiguration } from '../../../api/kinds/flowcontrol/priority-level-configuration.ts';
import { mandatory, standardLevels, standardSchemas } from '../../../api/kinds/flowcontrol/standard.ts';
import { type AnyObject, apiVersionOf, type KubeObject } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import type { Reader } from '../../registry/reader.ts';
import { statusRules } from '../../registry/update.ts';
import type { Keeper, KeeperContext } from './keeper.ts';

/** While it says `true`, the server keeps the spec as it should be; people who change the spec set it to `false`. */
const autoUpdate = 'apf.kubernetes.io/autoupdate-spec';

const standards: Readonly<Record<string, { kind: Kind; specs: ReadonlyMap<string, object> }>> = {
  level: { kind: PriorityLevelConfiguration as Kind, specs: standardLevels },
  schema: { kind: FlowSchema as Kind, specs: standardSchemas },
};

/**
 * The flow schemas and priority levels every cluster has come back when somebody deletes them. Says of every schema whether its level
 * exists (kubernetes: pkg/registry/flowcontrol/rest, apiserver: pkg/util/flowcontrol).
 */
export function flowControl(reader: Reader): Keeper {
  return {
    name: 'flow-control',
    queue: 'priority_and_fairness_config_queue',
    watch(enqueue) {
      for (const [what, { specs }] of Object.entries(standards)) for (const name of specs.keys()) enqueue(`${what}/${name}`);
      reader.onChange(FlowSchema, (next, previous) => enqueue(`schema/${(next ?? previous)!.metadata.name}`));
      reader.onChange(PriorityLevelConfiguration, (next, previous) => {
        const { name } = (next ?? previous)!.metadata;
        enqueue(`level/${name}`);
        if (next && previous) return;
        for (const { metadata, spec } of reader.list(FlowSchema)) {
          if (spec?.priorityLevelConfiguration?.name === name) enqueue(`schema/${metadata.name}`);
        }
      });
    },
    async keep(key, context) {
      const slash = key.indexOf('/');
      const [what, name] = [key.slice(0, slash), key.slice(slash + 1)];
      const { kind, specs } = standards[what]!;
      const spec = specs.get(name);
      const existing = reader.get(kind, { name }) as AnyObject | undefined;
      if (spec && !existing) await create(kind, name, spec, context);
      else if (spec && existing) await bringUpToDate(kind, existing, spec, context);
      if (what === 'schema') await reportDangling(reader, name, context);
    },
  };
}

async function create(kind: Kind, name: string, spec: object, { registry, call }: KeeperContext): Promise<void> {
  const metadata = { name, annotations: { [autoUpdate]: 'true' } };
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec: structuredClone(spec) };
  try {
    await registry.create(call, kind, undefined, object as unknown as KubeObject);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

/** The specs of mandatory ones cannot differ: validation holds them. */
async function bringUpToDate(kind: Kind, existing: AnyObject, spec: object, { registry, call }: KeeperContext): Promise<void> {
  const { name, annotations, generation } = existing.metadata;
  const wish = annotations?.[autoUpdate];
  const isFixed = mandatory.includes(name);
  const follows = isFixed || wish === 'true' || (wish !== 'false' && generation === 1);
  const isRight = isFixed || !follows || equalJson(existing.spec, spec);
  if (isRight && wish === String(follows)) return;
  await registry.update(call, kind, {
    key: { name },
    transform(current) {
      const next = current as AnyObject;
      next.metadata.annotations = { ...next.metadata.annotations, [autoUpdate]: String(follows) };
      if (!isRight) next.spec = structuredClone(spec) as AnyObject['spec'];
      return next;
    },
  });
}

async function reportDangling(reader: Reader, name: string, { registry, call, clock }: KeeperContext): Promise<void> {
  const schema = reader.get(FlowSchema, { name });
  if (!schema) return;
  const level = schema.spec?.priorityLevelConfiguration?.name ?? '';
  const exists = standardLevels.has(level) || reader.get(PriorityLevelConfiguration, { name: level }) !== undefined;
  const fact = exists ? 'and it exists' : 'but there is no such object';
  const condition = {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    reason: exists ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${fact}`,
  };
  const before = schema.status?.conditions?.find((c) => c.type === condition.type);
  if (before?.status === condition.status && before.message === condition.message) return;
  await registry.update(call, FlowSchema, {
    key: { name },
    rules: statusRules(FlowSchema),
    transform: (current) => ({
      ...current!,
      status: { conditions: [{ ...condition, lastTransitionTime: timestamp(clock.now()) }] },
    }),
  });
}
