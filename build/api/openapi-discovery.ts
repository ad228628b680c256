import type { Kind } from '../../src/api/kind.ts';
import type { Model, ModelField } from './models.ts';
import { idPart, type Operation, objectTypes, type PathItem, tagOf } from './openapi-paths.ts';
import type { OpenApiSchema, SchemaBuilder } from './openapi-schemas.ts';

/** The models of what the server says of itself. Nothing of it is stored: the model is all there is to know of it. */
export const discoveryModels = ['V1APIVersions', 'V1APIGroupList', 'V1APIGroup', 'V1APIResourceList', 'VersionInfo'];

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** Writes a path into a document whose schemas are built by `schemas`. */
type PathWriter = (schemas: SchemaBuilder) => PathItem;
type Described = Pick<Operation, 'operationId' | 'description' | 'tag' | 'consumes' | 'produces'>;

const types = { consumes: objectTypes, produces: objectTypes };

/** The paths where the server says what it has, by the v3 document they stand in: `apis/apps` → `/apis/apps/`. */
export function discoveryPaths(kinds: readonly Kind[]): Map<string, PathWriter> {
  const groups = new Set(kinds.map(({ group }) => group).filter((group) => group !== ''));
  const versions = new Map(kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }])).values();
  return new Map([...[...versions].map(resourcesOf), ...[...groups].map(groupOf), ...serverPaths]);
}

function resourcesOf(groupVersion: { group: string; version: string }): [string, PathWriter] {
  const { group, version } = groupVersion;
  const tag = tagOf(groupVersion);
  const described = { tag, operationId: `get${idPart(tag)}APIResources`, description: 'get available resources', ...types };
  return writer(group === '' ? `api/${version}` : `apis/${group}/${version}`, described, 'APIResourceList');
}

function groupOf(group: string): [string, PathWriter] {
  const tag = tagOf({ group });
  const described = { tag, operationId: `get${idPart(tag)}APIGroup`, description: 'get information of a group', ...types };
  return writer(`apis/${group}`, described, 'APIGroup');
}

const versionsDescription = 'get available API versions';
const serverPaths: readonly [string, PathWriter][] = [
  writer('api', { tag: 'core', operationId: 'getCoreAPIVersions', description: versionsDescription, ...types }, 'APIVersions'),
  writer('apis', { tag: 'apis', operationId: 'getAPIVersions', description: versionsDescription, ...types }, 'APIGroupList'),
  writer(
    'version',
    {
      tag: 'version',
      operationId: 'getCodeVersion',
      description: 'get the version of this server',
      consumes: ['application/json'],
      produces: ['application/json'],
    },
    'VersionInfo',
  ),
  writer('.well-known/openid-configuration', {
    tag: 'WellKnown',
    operationId: 'getServiceAccountIssuerOpenIDConfiguration',
    description: 'get what is needed to check tokens of service accounts without asking this server',
    produces: ['application/json'],
  }),
  writer('openid/v1/jwks', {
    tag: 'openid',
    operationId: 'getServiceAccountIssuerOpenIDKeyset',
    description: 'get the keys with which tokens of service accounts are checked',
    produces: ['application/jwk-set+json'],
  }),
];

/** The writer of `/at/`, which answers with `type`, or with text. */
function writer(at: string, described: Described, type?: string): [string, PathWriter] {
  return [
    at,
    (schemas) => ({
      path: `/${at}/`,
      parameters: [],
      operations: [
        {
          ...described,
          method: 'get',
          parameters: [],
          ...(type === undefined ? {} : { response: reference(type, schemas) }),
          codes: [200],
        },
      ],
    }),
  ];
}

function reference(type: string, schemas: SchemaBuilder): OpenApiSchema {
  const name = type === 'VersionInfo' ? 'io.k8s.apimachinery.pkg.version.Info' : `${metaPackage}.${type}`;
  return schemas.define(name, () => modelSchema(schemas.model(type), schemas));
}

function modelSchema({ name, description, fields }: Model, schemas: SchemaBuilder): OpenApiSchema {
  const isKind = fields.some((field) => field.name === 'apiVersion');
  return {
    description,
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field, schemas)])),
    required: fields.filter((field) => field.required).map((field) => field.name),
    type: 'object',
    ...(isKind ? { 'x-kubernetes-group-version-kind': [{ group: '', kind: name.replace(/^V1/, ''), version: 'v1' }] } : {}),
  };
}

/** Fields are texts, booleans, other models, or lists of them. Their texts are left out: they would stand in every document. */
function fieldSchema({ name, type }: ModelField, schemas: SchemaBuilder): OpenApiSchema {
  const item = /^Array<(.*)>$/.exec(type)?.[1];
  const value = (of: string): OpenApiSchema => (of.startsWith('V1') ? reference(of.slice(2), schemas) : { type: of });
  if (item === undefined) return value(type);
  // Go gives the list of verbs a name of its own, and with it no list type.
  const listType = name === 'verbs' ? {} : { 'x-kubernetes-list-type': 'atomic' };
  return { items: value(item), type: 'array', ...listType };
}
