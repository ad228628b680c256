import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { apiregistrationStructs } from './apiregistration.ts';
import { type GoStruct, readGoPackage } from './go-types.ts';
import type { Model } from './models.ts';

/** Go packages below `k8s.io/` whose types Skiff serves, and the prefix client-node puts before a type name that several groups have. */
const packages: readonly (readonly [folder: string, prefix: string])[] = [
  ['api/admissionregistration/v1', 'Admissionregistration'],
  ['api/apps/v1', 'Apps'],
  ['api/authentication/v1', 'Authentication'],
  ['api/authorization/v1', 'Authorization'],
  ['api/autoscaling/v1', 'Autoscaling'],
  ['api/autoscaling/v2', 'Autoscaling'],
  ['api/batch/v1', 'Batch'],
  ['api/certificates/v1', 'Certificates'],
  ['api/coordination/v1', 'Coordination'],
  ['api/core/v1', 'Core'],
  ['api/discovery/v1', 'Discovery'],
  ['api/events/v1', 'Events'],
  ['api/flowcontrol/v1', 'Flowcontrol'],
  ['api/networking/v1', 'Networking'],
  ['api/node/v1', 'Node'],
  ['api/policy/v1', 'Policy'],
  ['api/rbac/v1', 'Rbac'],
  ['api/resource/v1', 'Resource'],
  ['api/scheduling/v1', 'Scheduling'],
  ['api/storage/v1', 'Storage'],
  ['apiextensions-apiserver/pkg/apis/apiextensions/v1', 'Apiextensions'],
  ['apimachinery/pkg/apis/meta/v1', 'Meta'],
];

/** A model of client-node and the Go struct it was generated from. */
export interface GoModel {
  readonly struct: GoStruct;
  /** The API group's folder and Go's name: `core/v1.Pod`. */
  readonly goName: string;
  /** Structs of the same package, for inlined fields. */
  readonly siblings: ReadonlyMap<string, GoStruct>;
}

/** The enumerations of all packages: `core/v1.RestartPolicy` → its values. */
export function goEnums(root: string): Map<string, readonly string[]> {
  return new Map(
    packages.flatMap(([folder]) => {
      const goPackage = folder.split('/').slice(-2).join('/');
      return [...packageAt(root, folder).enums].map(([name, values]) => [`${goPackage}.${name}`, values] as const);
    }),
  );
}

/** Finds the Go struct of every model. `root` is the folder `k8s.io` of the unpacked Go packages. */
export function goModels(root: string, models: ReadonlyMap<string, Model>): Map<string, GoModel> {
  const found = new Map<string, GoModel>();
  const core = packageAt(root, 'api/core/v1');
  for (const [folder, prefix] of packages) {
    const [group, version = ''] = folder.split('/').slice(-2);
    const { structs } = folder === 'api/core/v1' ? core : packageAt(root, folder);
    for (const struct of structs.values()) {
      const tail = `${version[0]!.toUpperCase()}${version.slice(1)}${struct.name}`;
      const model = models.has(prefix + tail) ? prefix + tail : tail;
      if (!models.has(model)) continue;
      // A few groups still declare a type that now lives in apimachinery; the API uses apimachinery's.
      if (found.has(model) && prefix !== 'Meta') throw new Error(`two Go types claim ${model}; one is ${folder}.${struct.name}`);
      found.set(model, {
        struct,
        goName: `${group}/${version}.${struct.name}`,
        siblings: new Map([...core.structs, ...structs]),
      });
    }
  }
  const siblings = new Map(apiregistrationStructs.map((struct) => [struct.name, struct]));
  for (const struct of siblings.values()) {
    const model = models.has(`ApiregistrationV1${struct.name}`) ? `ApiregistrationV1${struct.name}` : `V1${struct.name}`;
    found.set(model, { struct, goName: `apiregistration/v1.${struct.name}`, siblings });
  }
  return found;
}

function packageAt(root: string, folder: string): ReturnType<typeof readGoPackage> {
  const path = join(root, folder);
  const files = readdirSync(path).filter((name) => name.endsWith('.go') && !/_test\.go$|zz_generated|generated\.pb/.test(name));
  return readGoPackage(
    files.map((name) => join(path, name)),
    folder.slice(folder.lastIndexOf('/') + 1),
  );
}
