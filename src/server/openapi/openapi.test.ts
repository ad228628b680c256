import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildOpenApi } from '../../../build/api/openapi.ts';
import { handleOpenApi, type OpenApiResponse, type RuntimeOpenApi } from './openapi.ts';

type Schema = { properties?: Record<string, Schema>; items?: Schema; $ref?: string; [keyword: string]: unknown };
interface Document {
  paths: Record<string, Record<string, { parameters: { name: string }[]; [keyword: string]: unknown }>>;
  components: { schemas: Record<string, Schema> };
}

describe('OpenAPI', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'skiff-openapi-'));
    buildOpenApi(join(folder, 'openapi'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const get = (url: string, headers: Record<string, string> = {}, runtime?: RuntimeOpenApi): OpenApiResponse | undefined => {
    const { pathname, searchParams } = new URL(url, 'https://localhost');
    return handleOpenApi(
      { path: pathname, query: searchParams, headers },
      { nowMs: Date.UTC(2026, 0, 1), readAsset: (name) => readFileSync(join(folder, name)), ...(runtime ? { runtime } : {}) },
    );
  };
  const json = <T>(response: OpenApiResponse | undefined): T => JSON.parse(Buffer.from(response!.body).toString()) as T;
  const index = () => json<{ paths: Record<string, { serverRelativeURL: string }> }>(get('/openapi/v3')).paths;
  const v3 = (name: string): Document => json<Document>(get(index()[name]!.serverRelativeURL));

  it('the index names a document for every group version, cacheable by its hash', () => {
    const url = index()['apis/apps/v1']!.serverRelativeURL;
    const response = get(url)!;
    assert.equal(response.status, 200);
    assert.equal(response.headers['cache-control'], 'public, immutable');
    assert.equal(response.headers['expires'], 'Fri, 01 Jan 2027 00:00:00 GMT');
    assert.ok(response.headers['vary']?.startsWith('Accept'));
    const names = Object.keys(index());
    assert.equal(names.filter((name) => /\/v\d+$/.test(name)).length, 22);
    const others = names.filter((name) => !/^apis\/.+|\/v\d+$/.test(name));
    assert.deepEqual(others, ['.well-known/openid-configuration', 'api', 'apis', 'openid/v1/jwks', 'version']);
    assert.ok(names.includes('apis/apps') && names.includes('apis/flowcontrol.apiserver.k8s.io'));
    const { headers } = get('/openapi/v3')!;
    assert.deepEqual(Object.keys(headers), ['content-type', 'last-modified']);
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(get('/openapi/v3/'), undefined);
  });

  it('a wrong hash is redirected to the right one, no hash is not cacheable', () => {
    const right = index()['api/v1']!.serverRelativeURL;
    const response = get('/openapi/v3/api/v1?hash=00')!;
    assert.equal(response.status, 301);
    assert.equal(response.headers['location'], right);
    assert.equal(get('/openapi/v3/api/v1')!.headers['cache-control'], undefined);
  });

  it('compresses when asked, and answers 304 to the ETag', () => {
    const plain = get('/openapi/v3/api/v1')!;
    const packed = get('/openapi/v3/api/v1', { 'accept-encoding': 'gzip' })!;
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(packed.body), Buffer.from(plain.body));
    assert.equal(get('/openapi/v3/api/v1', { 'if-none-match': plain.headers['etag']! })!.status, 304);
    assert.equal(get('/openapi/v3/api/v1', { 'if-none-match': '*' })!.status, 304);
    for (const refused of ['gzip;q=0', 'br, gzip; q=0.0, identity']) {
      assert.equal(get('/openapi/v3/api/v1', { 'accept-encoding': refused })!.headers['content-encoding'], undefined);
    }
    assert.ok(get('/openapi/v3/api/v1', { 'accept-encoding': 'gzip;q=0.5' })!.headers['content-encoding']);
  });

  it('speaks JSON, and protobuf in version 2 where it is asked for first', () => {
    const typeOf = (accept: string): unknown => get('/openapi/v2', { accept })!.headers['content-type'];
    const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
    assert.equal(typeOf('application/json, */*'), 'application/json');
    assert.equal(typeOf(protobufType), protobufType);
    assert.equal(typeOf('application/com.github.proto-openapi.spec.v2@v1.0+protobuf'), protobufType);
    assert.equal(get('/openapi/v2', { accept: 'text/html' })!.status, 406);
    assert.equal(
      get('/openapi/v3/api/v1', { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' })!.status,
      406,
    );
    const tag = get('/openapi/v2', { accept: protobufType })!.headers['etag']!;
    assert.equal(get('/openapi/v2', { accept: protobufType, 'if-none-match': tag })!.status, 304);
    assert.notEqual(get('/openapi/v2')!.headers['etag'], tag);
  });

  it('knows no other paths', () => {
    assert.equal(get('/openapi/v3/apis/nobody/v1'), undefined);
    assert.equal(get('/openapi/v3/__proto__'), undefined);
    assert.equal(get('/openapi'), undefined);
  });

  it('is complete: every reference leads somewhere', () => {
    for (const name of Object.keys(index())) {
      const text = JSON.stringify(v3(name));
      const { schemas } = v3(name).components;
      for (const m of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.ok(schemas[m[1]!], `${name}: ${m[1]}`);
    }
  });

  it('has what kubectl needs: kinds, patch facts, query parameters', () => {
    const core = v3('api/v1');
    const podSpec = core.components.schemas['io.k8s.api.core.v1.PodSpec']!;
    const containers = podSpec.properties!['containers']!;
    assert.equal(containers['x-kubernetes-patch-merge-key'], 'name');
    assert.deepEqual(containers['x-kubernetes-list-map-keys'], ['name']);
    assert.match(String(containers['description']), /List of containers/);
    assert.deepEqual(core.components.schemas['io.k8s.api.core.v1.Pod']!['x-kubernetes-group-version-kind'], [
      { group: '', kind: 'Pod', version: 'v1' },
    ]);
    const patch = core.paths['/api/v1/namespaces/{namespace}/pods/{name}']!['patch']!;
    assert.ok(patch.parameters.some((p) => p.name === 'fieldValidation'));
    assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: '', kind: 'Pod', version: 'v1' });
  });

  it('describes parameters, the old paths of watches, and what is behind proxies', () => {
    const { paths } = v3('api/v1');
    for (const [path, item] of Object.entries(paths)) {
      const lists = [item['parameters'], ...Object.values(item).map((operation) => operation.parameters)];
      const all = lists.flat().filter(Boolean) as unknown as { name: string; description?: string }[];
      for (const { name, description } of all) assert.ok(description, `${path}: ${name}`);
    }
    const watch = paths['/api/v1/watch/namespaces/{namespace}/pods/{name}']!['get']!;
    assert.deepEqual([watch['operationId'], watch['x-kubernetes-action']], ['watchCoreV1NamespacedPod', 'watch']);
    assert.ok(paths['/api/v1/watch/pods'] && paths['/api/v1/watch/nodes/{name}']);
    assert.ok(v3('apis/apps/v1').paths['/apis/apps/v1/watch/namespaces/{namespace}/deployments']);
    assert.ok(paths['/api/v1/namespaces/{namespace}/services/{name}/proxy/{path}']!['put']);
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map((operation) => operation['operationId']));
    const known = ids.filter(Boolean);
    assert.equal(new Set(known).size, known.length);
  });

  it('describes what the server says of itself, for clients that know only what it describes', () => {
    const idOf = (document: Document, path: string): unknown => document.paths[path]!['get']!['operationId'];
    assert.equal(idOf(v3('apis/apps'), '/apis/apps/'), 'getAppsAPIGroup');
    assert.equal(idOf(v3('apis/apps/v1'), '/apis/apps/v1/'), 'getAppsV1APIResources');
    assert.equal(idOf(v3('version'), '/version/'), 'getCodeVersion');
    const v2 = json<Document & { definitions: Record<string, Schema> }>(get('/openapi/v2'));
    assert.equal(idOf(v2, '/api/'), 'getCoreAPIVersions');
    assert.equal(idOf(v2, '/openid/v1/jwks/'), 'getServiceAccountIssuerOpenIDKeyset');
    const { properties, required } = v2.definitions['io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup']!;
    assert.equal(
      properties!['versions']!.items!.$ref,
      '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery',
    );
    assert.deepEqual(required, ['name', 'versions']);
  });

  it('names the values of enumerations, and in version 2 no alternatives', () => {
    const schemaOf = (type: string): Schema => v3('api/v1').components.schemas[`io.k8s.api.core.v1.${type}`]!;
    assert.deepEqual(schemaOf('PodSpec').properties!['restartPolicy']!['enum'], ['Always', 'Never', 'OnFailure']);
    assert.ok(
      (schemaOf('PersistentVolumeSpec').properties!['accessModes']!.items!['enum'] as string[]).includes('ReadWriteOncePod'),
    );
    assert.equal(schemaOf('PodSpec').properties!['hostname']!['enum'], undefined);
    const webhook = v3('apis/admissionregistration.k8s.io/v1').components.schemas;
    const rule = webhook['io.k8s.api.admissionregistration.v1.RuleWithOperations']!.properties!;
    assert.deepEqual(rule['scope']!['enum'], ['*', 'Cluster', 'Namespaced']);
    const v2 = json<{ definitions: Record<string, Schema> }>(get('/openapi/v2')).definitions;
    const { object } = v2['io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent']!.properties!;
    assert.equal(object!.$ref, '#/definitions/io.k8s.apimachinery.pkg.runtime.RawExtension');
    const { type, format, oneOf } = v2['io.k8s.apimachinery.pkg.util.intstr.IntOrString']!;
    assert.deepEqual([type, format, oneOf], ['string', 'int-or-string', undefined]);
  });

  it('describes connections as upstream does', () => {
    const { paths } = v3('api/v1');
    const exec = paths['/api/v1/namespaces/{namespace}/pods/{name}/exec']!;
    assert.equal(exec['post']!['operationId'], 'connectCoreV1PostNamespacedPodExec');
    const names = (exec['parameters'] as unknown as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['command', 'container', 'name', 'namespace', 'stderr', 'stdin', 'stdout', 'tty']);
    const proxy = paths['/api/v1/nodes/{name}/proxy/{path}']!;
    assert.equal(proxy['head']!['operationId'], 'connectCoreV1HeadNodeProxyWithPath');
    const roles = v3('apis/rbac.authorization.k8s.io/v1').paths['/apis/rbac.authorization.k8s.io/v1/clusterroles']!;
    assert.equal(roles['get']!['operationId'], 'listRbacAuthorizationV1ClusterRole');
  });

  it('has each text in one place, or kubectl explain prints it twice', () => {
    const { schemas } = v3('api/v1').components;
    const probe = schemas['io.k8s.api.core.v1.Container']!.properties!['livenessProbe']!;
    assert.match(String(probe['description']), /^Probe describes a health check/);
    assert.equal(schemas['io.k8s.api.core.v1.Probe']!['description'], undefined);
    assert.match(String(schemas['io.k8s.api.core.v1.Container']!['description']), /^A single application container/);
    assert.match(String(schemas['io.k8s.api.core.v1.Pod']!['description']), /^Pod is a collection/);
  });

  it('takes in documents of kinds made at run time', () => {
    const runtime: RuntimeOpenApi = {
      groupVersions: () => new Map([['apis/ex.com/v1', { hash: 'AB', text: () => '{"openapi":"3.0.0"}' }]]),
      v2: () => ({ paths: '"/apis/ex.com/v1/widgets":{}', definitions: '"com.ex.v1.Widget":{"type":"object"}' }),
    };
    const paths = json<{ paths: Record<string, unknown> }>(get('/openapi/v3', {}, runtime)).paths;
    assert.deepEqual(paths['apis/ex.com/v1'], { serverRelativeURL: '/openapi/v3/apis/ex.com/v1?hash=AB' });
    assert.equal(get('/openapi/v3/apis/ex.com/v1?hash=AB', {}, runtime)!.status, 200);
    const v2 = json<{ paths: object; definitions: object }>(get('/openapi/v2', {}, runtime));
    assert.ok('/apis/ex.com/v1/widgets' in v2.paths);
    assert.ok('com.ex.v1.Widget' in v2.definitions);
    assert.ok('io.k8s.api.core.v1.Pod' in v2.definitions);
  });

  it('says so when the build left the documents out', () => {
    const response = handleOpenApi(
      { path: '/openapi/v2', query: new URLSearchParams(), headers: {} },
      {
        nowMs: 0,
        readAsset: () => {
          throw new Error('no such file');
        },
      },
    );
    assert.equal(response?.status, 503);
  });
});
