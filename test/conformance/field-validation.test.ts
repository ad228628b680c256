import assert from 'node:assert/strict';
import { it } from 'node:test';
import { controlPlane, exists, refused } from './support/control-plane.ts';

const plane = controlPlane();
const deployment = (metadata: string, spec: string): string => `{
  "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"${metadata}},
  "spec": {${spec} "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "registry.invalid/web:1"}]}}}
}`;

const rows = [
  {
    name: '[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]',
    body: deployment('', '"unknownField": "x", "replicas": 2, "replicas": 3,'),
    problems: ['unknown field "spec.unknownField"', 'duplicate field "spec.replicas"'],
  },
  {
    name: '[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object [Conformance]',
    body: deployment(', "unknownMeta": "x"', ''),
    problems: ['unknown field "metadata.unknownMeta"'],
  },
];

for (const { name, body, problems } of rows)
  it(name, async () => {
    const deployments = await plane.inNewNamespace('apps/v1/deployments');
    const create = (fieldValidation: string, dryRun = {}): Promise<unknown> =>
      deployments.create(body, { fieldManager: 'test', fieldValidation, ...dryRun });
    const { message } = await refused(create('Strict'), 400, 'BadRequest');
    assert.ok(message.includes(`strict decoding error: ${problems.join(', ')}`), message);
    assert.equal(await exists(deployments, 'web'), false);
    for (const lenient of ['Warn', 'Ignore']) await create(lenient, { dryRun: 'All' });
  });
