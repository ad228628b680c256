import { existsSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** How often a field may occur. `optional` = presence is visible (member of a oneof, proto3 optional). */
export type Cardinality = 'single' | 'repeated' | 'map' | 'optional';

export interface FieldModel {
  readonly id: number;
  readonly name: string;
  /** A protobuf scalar, or the full name of a message or enum. */
  readonly type: string;
  readonly cardinality: Cardinality;
  /** Key type of a map. */
  readonly keyType?: string;
}

export interface ApiModel {
  readonly messages: ReadonlyMap<string, readonly FieldModel[]>;
  readonly enums: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** `package.Service/Method` → request and response message. */
  readonly methods: ReadonlyMap<string, readonly [request: string, response: string]>;
}

/** Reads .proto files and keeps the given methods and `extra` messages with everything they reach, except types matching `omitted`. */
export function readProtos(options: {
  readonly includeFolders: readonly string[];
  readonly files: readonly string[];
  readonly methods: readonly string[];
  readonly extra: readonly string[];
  readonly omitted: RegExp;
}): ApiModel {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => options.includeFolders.map((f) => join(f, target)).find((p) => existsSync(p)) ?? target;
  root.loadSync([...options.files], { keepCase: true });
  root.resolveAll();

  const methods = new Map<string, readonly [string, string]>();
  for (const path of options.methods) {
    const [service, name] = path.split('/') as [string, string];
    const method = root.lookupService(service).methods[name];
    if (!method) throw new Error(`no method ${path}`);
    method.resolve();
    methods.set(path, [fullName(method.resolvedRequestType!), fullName(method.resolvedResponseType!)]);
  }
  const messages = new Map<string, readonly FieldModel[]>();
  const enums = new Map<string, Readonly<Record<string, number>>>();
  const queue = [...options.extra, ...[...methods.values()].flat()];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (messages.has(name)) continue;
    const fields = root
      .lookupType(name)
      .fieldsArray.filter((f) => !f.resolvedType || !options.omitted.test(f.resolvedType.fullName));
    messages.set(name, fields.map(fieldModel));
    for (const field of fields) {
      if (field.resolvedType instanceof protobuf.Enum) enums.set(fullName(field.resolvedType), field.resolvedType.values);
      else if (field.resolvedType) queue.push(fullName(field.resolvedType));
    }
  }
  return { messages, enums, methods };
}

function fieldModel(field: protobuf.Field): FieldModel {
  const type = field.resolvedType ? fullName(field.resolvedType) : field.type;
  const base = { id: field.id, name: field.name, type };
  if (field instanceof protobuf.MapField) return { ...base, cardinality: 'map', keyType: field.keyType };
  if (field.repeated) return { ...base, cardinality: 'repeated' };
  return { ...base, cardinality: field.partOf ? 'optional' : 'single' };
}

function fullName(object: protobuf.ReflectionObject): string {
  return object.fullName.replace(/^\./, '');
}
