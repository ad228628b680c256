import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRequest } from '../../../src/pki/csr.ts';
import { generatePrivateKey } from '../../../src/pki/keys.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Machine, Machines } from '../../support/machines.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';
import { type Kubectl, kubectlIn, kubectlPrograms, type Row, testRows } from './kubectl.ts';

const configMap = (data: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data });
const listOf = (...names: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: names.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { set: 'x' } } })),
  });
const readerOf = (resource: string): string =>
  JSON.stringify({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader', namespace: 'NS' },
    rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
  });
const signingRequest = (name: string): string =>
  JSON.stringify({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: btoa(createRequest({ subject: { commonName: 'ann', organizations: [] }, privateKey: generatePrivateKey() })),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  });

/** Typed commands: the bodies are protobuf. `NS` is the namespace of the test. */
const creations: readonly Row[] = [
  { args: 'create deployment web --image=busybox:1.37 --replicas=0 --port=8080', prints: /deployment.apps\/web created/ },
  { args: 'create deployment tried --image=x --dry-run=server', prints: /tried created \(server dry run\)/ },
  { args: 'create deployment tried --image=x --dry-run=client -o name', prints: /^deployment.apps\/tried/ },
  { args: 'get deployment tried', fails: /deployments.apps "tried" not found/ },
  { args: 'create deployment left --image=busybox:1.37 --replicas=0' },
  { args: 'create job once --image=busybox:1.37 -- true', prints: /job.batch\/once created/ },
  { args: ['create', 'cronjob', 'often', '--image=busybox:1.37', '--schedule=*/5 * * * *', '--', 'true'] },
  { args: 'create job by-hand --from=cronjob/often' },
  { args: 'create configmap settings --from-literal=a=1 --from-file=/etc/hostname' },
  { args: 'create secret generic password --from-literal=a=b' },
  { args: 'create secret docker-registry pull --docker-username=a --docker-password=b --docker-server=x.y' },
  { args: 'create role reader --verb=get,list --resource=pods,deployments.apps' },
  { args: 'create rolebinding readers --role=reader --user=bob --serviceaccount=NS:robot' },
  { args: 'create clusterrole NS-reader --verb=get --non-resource-url=/x' },
  { args: 'create clusterrole NS-sum --aggregation-rule=a=b' },
  { args: 'create clusterrolebinding NS-readers --clusterrole=NS-reader --group=g' },
  { args: 'create quota limits --hard=configmaps=100,requests.cpu=10' },
  { args: 'create pdb web --selector=app=web --min-available=1' },
  { args: 'create ingress web --rule=example.com/x*=web:80,tls=pull --class=nginx --annotation a=b' },
  { args: 'create serviceaccount robot' },
  { args: 'create token robot --duration=10m', prints: /^ey[\w-]+\.[\w-]+\.[\w-]+/ },
  { args: 'create token robot --bound-object-kind=Secret --bound-object-name=password', prints: /^ey/ },
  { args: 'create priorityclass NS-high --value=10 --description=x' },
  { args: 'create service clusterip one --tcp=80:8080' },
  { args: 'create service nodeport two --tcp=80:8080' },
  { args: 'create service loadbalancer three --tcp=81:8080' },
  { args: 'create service externalname four --external-name=example.com' },
  { args: 'create namespace NS-other' },
  { args: 'expose deployment web --port=80 --target-port=8080', prints: /service\/web exposed/ },
  { args: 'autoscale deployment web --max=4 --cpu-percent=50', prints: /autoscaled/ },
  { args: 'create configmap settings', fails: /already exists/ },
  { args: 'create -f -', input: configMap({}).replace('applied', 'Not_A_Name'), fails: /Invalid value: "Not_A_Name"/ },
];

const readings: readonly Row[] = [
  { args: 'get all', prints: /service\/two\s+NodePort[\s\S]*deployment.apps\/web\s+0\/0[\s\S]*cronjob.batch\/often/ },
  { args: 'get deployment web -o wide', prints: /CONTAINERS\s+IMAGES\s+SELECTOR\n.*busybox:1.37\s+app=web/ },
  { args: 'get deployment web -o yaml', prints: /^apiVersion: apps\/v1\nkind: Deployment/ },
  { args: 'get deployment web -o json', prints: /"kind": "Deployment"/ },
  { args: 'get services -o jsonpath={.items[*].metadata.name}', prints: /^four one three two web$/ },
  { args: 'get services -o custom-columns=N:.metadata.name,T:.spec.type', prints: /^N\s+T\nfour\s+ExternalName/ },
  { args: ['get', 'svc', '-o', 'go-template={{range .items}}{{.metadata.name}} {{end}}'], prints: /^four one/ },
  { args: 'get services --sort-by=.spec.type -o name', prints: /one[\s\S]*four/ },
  { args: 'get services -A', prints: /default\s+kubernetes\s+ClusterIP/ },
  { args: 'get cm,secret,role,rolebinding,quota,pdb,ing,sa,ep,hpa', prints: /horizontalpodautoscaler/ },
  { args: 'get configmap settings --show-labels -L a', prints: /LABELS/ },
  { args: 'get services --field-selector=metadata.name!=one -o name', prints: /^service\/four/ },
  { args: 'get services -l app=web -o name', prints: /^service\/web\n$/ },
  { args: 'get --raw /api/v1/namespaces/NS/services?limit=1', prints: /"continue":"\w/ },
  { args: 'get services --chunk-size=1 -o name', prints: /^(service\/\w+\n){5}$/ },
  { args: 'get pods -w --request-timeout=1s' },
  { args: 'get services --watch-only --request-timeout=1s', prints: /^$/ },
  { args: 'get service one -o yaml -w --request-timeout=1s', prints: /^ {2}name: one$/m },
  { args: 'get deployment web --subresource=scale', prints: /^NAME\s+DESIRED\s+AVAILABLE\s+AGE\nweb\s+0\s+0/ },
  { args: 'get deployment web --subresource=status -o name', prints: /^deployment.apps\/web$/m },
  { args: 'get configmap nowhere', fails: /configmaps "nowhere" not found/ },
  { args: 'get nothings', fails: /doesn't have a resource type "nothings"/ },
  { args: 'describe deployment web', prints: /Replicas:\s+0 desired/ },
  { args: 'describe service one', prints: /TargetPort:\s+8080\/TCP/ },
  { args: 'describe cronjob often', prints: /Schedule:\s+\*\/5/ },
  { args: 'describe ingress web', prints: /TLS:\n\s+pull terminates example.com/ },
  { args: 'describe role reader', prints: /deployments.apps\s+\[\]\s+\[\]\s+\[get list\]/ },
  { args: 'describe secret password', prints: /a:\s+1 bytes/ },
  { args: 'describe configmap settings', prints: /hostname:\n----/ },
  { args: 'describe pdb web', prints: /Min available:\s+1/ },
  { args: 'describe hpa web', prints: /Max replicas:\s+4/ },
  { args: 'describe namespace NS', prints: /Status:\s+Active/ },
  { args: 'explain pod.spec.containers.livenessProbe', prints: /failureThreshold\s+<integer>/ },
  { args: 'explain deployment --recursive', prints: /progressDeadlineSeconds\s+<integer>/ },
  { args: 'explain nothings', fails: /doesn't have a resource type "nothings"/ },
  { args: 'api-resources', prints: /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/ },
  { args: 'api-resources --namespaced=false --verbs=list -o name', prints: /^nodes$/m },
  { args: 'api-versions', prints: /^apps\/v1$/m },
  { args: 'version', prints: /Server Version: v1\.36/ },
  { args: 'cluster-info', prints: /control plane/ },
  { args: 'cluster-info dump --namespaces NS', prints: /"kind": "PodList"/ },
  { args: 'auth can-i create pods', prints: /^yes/ },
  { args: 'auth can-i --list', prints: /\*\.\*/ },
  { args: 'auth can-i list deployments --as bob', prints: /^yes/ },
  { args: 'auth can-i delete pods --as bob', fails: /./ },
  { args: 'auth whoami', prints: /system:masters/ },
  { args: 'get pods --as eve', fails: /Forbidden.*User "eve" cannot list resource "pods"/ },
  { args: 'top pods', fails: /Metrics API not available/ },
  { args: 'top nodes', fails: /Metrics API not available/ },
];

const changes: readonly Row[] = [
  { args: 'apply -f -', input: configMap({ a: '1', b: '1' }), prints: /configmap\/applied created/ },
  { args: 'apply -f -', input: configMap({ a: '1', b: '1' }), prints: /configmap\/applied unchanged/ },
  { args: 'diff -f -', input: configMap({ a: '2' }), fails: /./ },
  { args: 'apply -f -', input: configMap({ a: '2' }), prints: /configmap\/applied configured/ },
  { args: 'get configmap applied -o jsonpath={.data}', prints: /^\{"a":"2"\}$/ },
  { args: 'diff -f -', input: configMap({ a: '2' }), prints: /^$/ },
  { args: 'apply --dry-run=server -f -', input: configMap({ a: '3' }), prints: /configured \(server dry run\)/ },
  { args: 'apply --server-side -f -', input: configMap({ a: '2' }), prints: /serverside-applied/ },
  { args: 'diff --server-side -f -', input: configMap({ a: '2' }), prints: /^$/ },
  { args: 'diff --server-side -f -', input: configMap({ a: '3' }), fails: /./ },
  { args: 'apply --server-side --field-manager=other -f -', input: configMap({ a: '4' }), fails: /1 conflict.*\.data\.a/ },
  { args: 'apply --server-side --field-manager=other --force-conflicts -f -', input: configMap({ a: '4' }) },
  { args: 'apply view-last-applied configmap/applied', prints: /a: "2"/ },
  { args: 'apply -f -', input: configMap({}).replace('"data"', '"date"'), fails: /unknown field "date"/ },
  { args: 'replace -f -', input: configMap({ a: '5' }), prints: /replaced/ },
  { args: 'replace --force -f -', input: configMap({ a: '6' }), prints: /replaced/ },
  { args: 'label configmap applied x=y', prints: /labeled/ },
  { args: 'label configmap applied x=z', fails: /already has a value/ },
  { args: 'label --overwrite configmap applied x=z', prints: /labeled/ },
  { args: 'label configmap applied x-', prints: /unlabeled/ },
  { args: 'annotate configmap applied x=y', prints: /annotated/ },
  { args: 'patch deployment web -p {"metadata":{"labels":{"a":"b"}}}', prints: /patched/ },
  { args: 'patch deployment web --type=merge -p {"metadata":{"labels":{"a":null}}}', prints: /patched/ },
  { args: 'patch deployment web --type=json -p [{"op":"replace","path":"/spec/paused","value":false}]', prints: /patched/ },
  { args: 'patch deployment web --type=json -p [{"op":"remove","path":"/spec/paused"}]', fails: /The request is invalid/ },
  { args: 'patch deployment web --type=json -p [{"op":"add","path":"/spec/minReadySeconds","value":1}]', prints: /patched/ },
  { args: 'patch deployment web --subresource=scale --type=merge -p {"spec":{"replicas":1}}', prints: /scale.*patched/ },
  { args: 'scale deployment web --current-replicas=7 --replicas=2', fails: /Expected replicas to be 7, was 1/ },
  { args: 'scale deployment web --replicas=0', prints: /scaled/ },
  { args: 'set image deployment/web busybox=busybox:1.36', prints: /image updated/ },
  { args: 'set env deployment/web A=b', prints: /env updated/ },
  { args: 'set env deployment/web --list', prints: /A=b/ },
  { args: 'set resources deployment/web --requests=cpu=10m', prints: /updated/ },
  { args: 'set serviceaccount deployment/web robot', prints: /updated/ },
  { args: 'set selector service/one a=b', prints: /selector updated/ },
  { args: 'set subject rolebinding/readers --user=eve', prints: /subjects updated/ },
  { args: 'patch deployment web --subresource=status --type=merge -p {"status":{"observedGeneration":1}}', prints: /patched/ },
  { args: 'apply -f -', input: listOf('set-a', 'set-b'), prints: /set-a created[\s\S]*set-b created/ },
  { args: 'apply --prune -l set=x --prune-allowlist=core/v1/ConfigMap -f -', input: listOf('set-a'), prints: /set-b pruned/ },
  { args: 'auth reconcile -f -', input: readerOf('secrets'), prints: /role.rbac.authorization.k8s.io\/reader reconciled/ },
  { args: 'describe role reader', prints: /deployments.apps\s[\s\S]*secrets\s/ },
  { args: 'create -f -', input: signingRequest('NS-good') },
  { args: 'create -f -', input: signingRequest('NS-bad') },
  { args: 'certificate approve NS-good', prints: /NS-good approved/ },
  { args: 'certificate deny NS-bad', prints: /NS-bad denied/ },
  { args: 'wait --for=jsonpath={.status.certificate} csr/NS-good --timeout=10s', prints: /condition met/ },
  { args: 'get csr NS-good NS-bad', prints: /Approved,Issued\n.*Denied/ },
];

const deletions: readonly Row[] = [
  { args: 'delete configmap applied --dry-run=server', prints: /configmap "applied" deleted.*\(server dry run\)/ },
  { args: 'delete configmap applied', prints: /configmap "applied" deleted/ },
  { args: 'delete configmap applied', fails: /not found/ },
  { args: 'delete configmap applied --ignore-not-found', prints: /^$/ },
  { args: 'delete service -l app=web', prints: /service "web" deleted/ },
  { args: 'delete service one two --wait=false', prints: /"one" deleted[\s\S]*"two" deleted/ },
  { args: 'delete deployment web --cascade=foreground', prints: /deleted/ },
  { args: 'wait --for=delete deployment/web --timeout=20s' },
  { args: 'delete deployment left --cascade=orphan', prints: /deleted/ },
  { args: 'get replicasets -l app=left -o name', prints: /^replicaset.apps\/left-/ },
  { args: 'delete csr NS-good NS-bad', prints: /deleted/ },
  { args: 'delete jobs,cronjobs --all', prints: /"by-hand" deleted/ },
  { args: 'delete clusterrole NS-reader NS-sum', prints: /deleted/ },
  { args: 'delete clusterrolebinding NS-readers', prints: /deleted/ },
  { args: 'delete priorityclass NS-high', prints: /deleted/ },
  { args: 'delete namespace NS-other', prints: /deleted/ },
];

const inNamespace = (rows: readonly Row[], namespace: string): Row[] =>
  rows.map((row) => ({
    ...row,
    args: typeof row.args === 'string' ? row.args.replaceAll('NS', namespace) : row.args,
    ...(row.input === undefined ? {} : { input: row.input.replaceAll(/\bNS\b/g, namespace) }),
    ...(row.prints ? { prints: new RegExp(row.prints.source.replaceAll('NS-', `${namespace}-`), row.prints.flags) } : {}),
  }));

isolated(import.meta.url, (place) => {
  describe('kubectl and objects', () => {
    const machines = new Machines(place);
    let pi: Machine;
    let programs: Awaited<ReturnType<typeof kubectlPrograms>>;

    before(async () => {
      pi = machines.add('pi1');
      pi.startServer('--disable-agent');
      await eventually('the API', async () => (await pi.kubectl('get', '--raw', '/readyz')) === 'ok', 60_000);
      programs = await kubectlPrograms(pi);
    });
    after(() => machines.stop());

    for (const version of ['bundled', 'old'] as const)
      describe(`the ${version} kubectl`, () => {
        let kubectl: Kubectl;
        before(async () => {
          kubectl = kubectlIn(pi, programs[version], version);
          await kubectl.run(['create', 'namespace', version]);
        });
        const rows = (table: readonly Row[]): void => testRows(() => kubectl, inNamespace(table, version));

        rows(creations);
        it('create secret tls', async () => {
          const { certificatePem, keyPem } = throwAwayTls().client('x', []);
          const [cert, key] = [join(pi.folder, 'tls.crt'), join(pi.folder, 'tls.key')];
          writeFileSync(cert, certificatePem);
          writeFileSync(key, keyPem);
          await kubectl.run(['create', 'secret', 'tls', 'tls', `--cert=${cert}`, `--key=${key}`]);
        });
        rows(readings);
        rows(changes);
        it('edit', async () => {
          const editor = join(pi.folder, 'editor');
          writeFileSync(editor, '#!/bin/sh\nsed -i s/"a: .6.$"/"a: edited"/ "$1"\n', { mode: 0o755 });
          const edit = (): Promise<string> =>
            pi.run('sh', ['-c', `EDITOR=${editor} ${kubectl.commandLine(['edit', 'cm', 'applied'])}`]);
          assert.match(await edit(), /configmap\/applied edited/);
          assert.equal(await kubectl.run(['get', 'cm', 'applied', '-o', 'jsonpath={.data.a}']), 'edited');
          assert.equal(await edit(), '', 'no change, nothing said on stdout');
        });
        it('apply a folder with a kustomization', async () => {
          const folder = join(pi.folder, `kustomize-${version}`);
          mkdirSync(folder);
          writeFileSync(join(folder, 'kustomization.yaml'), 'namePrefix: from-\nresources: [map.yaml]\n');
          writeFileSync(join(folder, 'map.yaml'), configMap({ a: '1' }));
          assert.match(await kubectl.run(['apply', '-k', folder]), /configmap\/from-applied created/);
        });
        rows(deletions);
        it('deletes its namespace with all that is in it', async () => {
          await kubectl.run(['delete', 'namespace', version, '--timeout=20s']).catch(async (error) => {
            const left = await kubectl.run(['get', 'namespace', version, '-o', 'jsonpath={.status.conditions}']);
            throw new Error(`what is left: ${left}`, { cause: error });
          });
          assert.equal(await kubectl.run(['get', 'configmaps,secrets,services', '-o', 'name']), '');
        });
      });
  });
});
