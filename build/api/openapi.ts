import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Kind } from '../../src/api/kind.ts';
import { builtinKinds } from '../../src/api/kinds/index.ts';
import { apiVersionOf } from '../../src/api/meta.ts';
import { readModels } from './models.ts';
import { discoveryModels, discoveryPaths } from './openapi-discovery.ts';
import { type Operation, type Parameter, type PathItem, pathsOf } from './openapi-paths.ts';
import {
  type GroupVersionKind,
  modelsByType,
  SchemaBuilder,
  type SchemaDialect,
  v2Dialect,
  v3Dialect,
} from './openapi-schemas.ts';
import { roots, typeName } from './roots.ts';

/** What the server reads to find a document. Sizes are those of the unpacked text. */
export interface OpenApiIndex {
  /** `apis/apps/v1`, `apis/apps` or `version` → its document. */
  readonly v3: Readonly<Record<string, { readonly file: string; readonly hash: string }>>;
  /** The offsets are where more paths and definitions can be put in. */
  readonly v2: { readonly file: string; readonly hash: string; readonly pathsEnd: number; readonly definitionsEnd: number };
}

const info = { title: 'Kubernetes', version: 'v1.36.0' };

/** Writes the OpenAPI documents, gzipped, and their index into `outDir` (`dist/assets/openapi`). Takes about a second. */
export function buildOpenApi(outDir: string): void {
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(join(outDir, 'v3'), { recursive: true });
  const models = modelsByType(readModels([...roots.map(([, , model]) => model), ...discoveryModels]));
  const kinds = kindsByType();
  const builder = (dialect: SchemaDialect): SchemaBuilder => new SchemaBuilder(models, { dialect, kinds });
  const v3: Record<string, { file: string; hash: string }> = {};
  const groupVersions = byGroupVersion(builtinKinds);
  for (const [path, discovery] of discoveryPaths(builtinKinds)) {
    const file = `v3/${path.replaceAll('/', '__')}.json.gz`;
    const schemas = builder(v3Dialect);
    const kindPaths = (groupVersions.get(path) ?? []).flatMap((kind) => pathsOf(kind, schemas));
    const text = JSON.stringify(v3Document([discovery(schemas), ...kindPaths], schemas));
    v3[path] = { file, hash: store(join(outDir, file), text) };
  }
  const { text, pathsEnd, definitionsEnd } = v2Document(builder(v2Dialect));
  const v2 = { file: 'v2.json.gz', hash: store(join(outDir, 'v2.json.gz'), text), pathsEnd, definitionsEnd };
  writeFileSync(join(outDir, 'index.json'), JSON.stringify({ v3, v2 } satisfies OpenApiIndex));
}

/** Writes the text compressed and returns its hash. */
function store(file: string, text: string): string {
  writeFileSync(file, gzipSync(text, { level: 9 }));
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

/** Type → the kinds it is; DeleteOptions and Status are the same in every group. */
function kindsByType(): Map<string, readonly GroupVersionKind[]> {
  return new Map(
    roots.map(([apiVersion, kind, model]) => {
      const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
      return [typeName(model), [{ group: group!, kind, version: version! }]];
    }),
  );
}

function byGroupVersion(kinds: readonly Kind[]): Map<string, Kind[]> {
  return Map.groupBy(kinds, (kind) => `${kind.group ? 'apis' : 'api'}/${apiVersionOf(kind)}`);
}

function v3Document(paths: readonly PathItem[], schemas: SchemaBuilder): unknown {
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(sortedPaths(paths).map((item) => [item.path, v3Path(item)])),
    components: {
      schemas: schemas.schemas(),
      securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    },
  };
}

function sortedPaths(paths: readonly PathItem[]): readonly PathItem[] {
  return [...paths].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function v3Path(item: PathItem): unknown {
  return {
    ...Object.fromEntries(item.operations.map((operation) => [operation.method, v3Operation(operation)])),
    ...(item.parameters.length > 0 ? { parameters: item.parameters.map(v3Parameter) } : {}),
  };
}

function v3Parameter({ name, in: where, type, description }: Parameter): unknown {
  return { description, in: where, name, ...(where === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } };
}

const anyType = ['*/*'];

function v3Operation(operation: Operation): unknown {
  const { body } = operation;
  const schema = operation.response ?? { type: 'string' };
  const content = Object.fromEntries((operation.produces ?? anyType).map((type) => [type, { schema }]));
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    ...(operation.parameters.length > 0 ? { parameters: operation.parameters.map(v3Parameter) } : {}),
    ...(body
      ? {
          requestBody: {
            content: Object.fromEntries(body.mediaTypes.map((type) => [type, { schema: body.schema }])),
            ...(body.required ? { required: true } : {}),
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(operation.codes.map((code) => [code, { description: describedCode(code), content }])),
      401: { description: 'Unauthorized' },
    },
    ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
    ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
  };
}

function describedCode(code: number): string {
  return code === 200 ? 'OK' : code === 201 ? 'Created' : 'Accepted';
}

/** Definitions come last and paths before them, so that kinds made at run time can be put in without parsing the document. */
function v2Document(schemas: SchemaBuilder): { text: string; pathsEnd: number; definitionsEnd: number } {
  const discovery = [...discoveryPaths(builtinKinds).values()].map((path) => path(schemas));
  const paths = sortedPaths([...discovery, ...builtinKinds.flatMap((kind) => pathsOf(kind, schemas))]);
  const head = JSON.stringify({
    swagger: '2.0',
    info,
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    security: [{ BearerToken: [] }],
  }).slice(0, -1);
  const pathsText = JSON.stringify(Object.fromEntries(paths.map((item) => [item.path, v2Path(item)])));
  const before = `${head},"paths":${pathsText.slice(0, -1)}`;
  const text = `${before}},"definitions":${JSON.stringify(schemas.schemas()).slice(0, -1)}`;
  return { text: `${text}}}`, pathsEnd: Buffer.byteLength(before), definitionsEnd: Buffer.byteLength(text) };
}

function v2Path(item: PathItem): unknown {
  return {
    ...Object.fromEntries(item.operations.map((operation) => [operation.method, v2Operation(operation)])),
    ...(item.parameters.length > 0 ? { parameters: item.parameters.map(v2Parameter) } : {}),
  };
}

function v2Parameter({ name, in: where, type, description }: Parameter): unknown {
  return { description, in: where, name, type, uniqueItems: true, ...(where === 'path' ? { required: true } : {}) };
}

function v2Operation(operation: Operation): unknown {
  const { body, response } = operation;
  const bodyParameter = body
    ? [{ name: 'body', in: 'body', ...(body.required ? { required: true } : {}), schema: body.schema }]
    : [];
  return {
    description: operation.description,
    consumes: body?.mediaTypes ?? operation.consumes ?? anyType,
    produces: operation.produces ?? anyType,
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.operationId,
    parameters: [...bodyParameter, ...operation.parameters.map(v2Parameter)],
    responses: {
      ...Object.fromEntries(
        operation.codes.map((code) => [code, { description: describedCode(code), schema: response ?? { type: 'string' } }]),
      ),
      401: { description: 'Unauthorized' },
    },
    ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
    ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
  };
}
