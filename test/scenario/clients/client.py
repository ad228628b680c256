"""What programs do with the official Python client (urllib3, HTTP/1.1): python3 client.py KUBECONFIG. Fails on the first surprise."""
import base64
import sys
import threading
import time

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
NS = 'python'


def refused(code, call, *args, **options):
    try:
        call(*args, **options)
    except ApiException as error:
        assert error.status == code, (error.status, error.body)
        return
    raise AssertionError(f'not refused with {code}')


def eventually(what, probe):
    end = time.time() + 30
    while not probe():
        assert time.time() < end, what
        time.sleep(0.05)


def config_map(name, **fields):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={'made': 'here'}), **fields)


def lists_every_kind():
    """Every answer has what the client's models require."""
    lists = 0
    for name in dir(client):
        api = getattr(client, name)
        # Events of core/v1 have no eventTime, which this client wants in events.k8s.io, from any server.
        for method in dir(api) if name.endswith('V1Api') and name != 'EventsV1Api' else []:
            if method.startswith('list_') and not method.startswith('list_namespaced') and not method.endswith('_info'):
                getattr(api(), method)()
                lists += 1
    assert lists > 30, lists


def reads_and_writes():
    made = core.create_namespaced_config_map(NS, config_map('a', data={'a': '1'}, binary_data={'b': base64.b64encode(b'\0\1').decode()}))
    assert made.metadata.creation_timestamp.tzinfo and made.binary_data['b'] == 'AAE='
    made.data['a'] = '2'
    core.replace_namespaced_config_map('a', NS, made)
    refused(409, core.replace_namespaced_config_map, 'a', NS, made)
    core.patch_namespaced_config_map('a', NS, {'data': {'c': '3', 'a': None}})
    core.patch_namespaced_config_map('a', NS, [{'op': 'add', 'path': '/data/d', 'value': '4'}])
    assert core.read_namespaced_config_map('a', NS).data == {'c': '3', 'd': '4'}
    refused(422, core.create_namespaced_config_map, NS, config_map('A_'))
    uid = {'uid': made.metadata.uid}
    assert core.delete_namespaced_config_map('a', NS, body=client.V1DeleteOptions(preconditions=uid)).status == 'Success'
    refused(404, core.delete_namespaced_config_map, 'a', NS)


def watches():
    version = core.list_namespaced_config_map(NS).metadata.resource_version

    def write():
        for n in range(3):
            core.create_namespaced_config_map(NS, config_map(f'w{n}'))
        core.delete_namespaced_config_map('w0', NS)

    threading.Timer(0.2, write).start()
    seen, stream = [], watch.Watch()
    for event in stream.stream(core.list_namespaced_config_map, NS, resource_version=version, timeout_seconds=30):
        seen.append((event['type'], event['object'].metadata.name))
        if event['type'] == 'DELETED':
            stream.stop()
    assert seen == [('ADDED', 'w0'), ('ADDED', 'w1'), ('ADDED', 'w2'), ('DELETED', 'w0')], seen
    first = [event['object'].metadata.name for event in watch.Watch().stream(core.list_namespaced_config_map, NS, timeout_seconds=1)]
    assert {'w1', 'w2'} <= set(first), first


def reads_pages():
    names, token = [], None
    while True:
        page = core.list_namespaced_config_map(NS, limit=1, label_selector='made=here', _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == ['w1', 'w2'], names


def discovers():
    resources = dynamic.DynamicClient(client.ApiClient()).resources
    services = resources.get(api_version='v1', kind='Service')
    ports = [{'port': 80, 'name': 'a'}, {'port': 81, 'name': 'b'}]
    services.create(namespace=NS, body={'kind': 'Service', 'apiVersion': 'v1', 'metadata': {'name': 's'}, 'spec': {'ports': ports}})
    merge = {'content_type': 'application/strategic-merge-patch+json', 'namespace': NS, 'name': 's'}
    assert len(services.patch(body={'spec': {'ports': [{'port': 82, 'name': 'c'}]}}, **merge).spec.ports) == 3
    assert services.status.get(namespace=NS, name='s').status.loadBalancer is not None
    assert 'exec' in resources.get(api_version='v1', kind='Pod').subresources
    assert [event['type'] for event in services.watch(namespace=NS, timeout=1)] == ['ADDED']


def works_on_manifests():
    labels = {'app': 'web'}
    pod = {'metadata': {'labels': labels}, 'spec': {'containers': [{'name': 'c', 'image': 'i'}]}}
    spec = {'replicas': 2, 'selector': {'matchLabels': labels}, 'template': pod}
    deployment = {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web'}, 'spec': spec}
    utils.create_from_dict(client.ApiClient(), {'apiVersion': 'v1', 'kind': 'List', 'items': [deployment]}, namespace=NS)
    eventually('two replicas', lambda: apps.read_namespaced_deployment_status('web', NS).status.replicas == 2)
    apps.patch_namespaced_deployment_scale('web', NS, {'spec': {'replicas': 0}})
    eventually('none', lambda: not core.list_namespaced_pod(NS, label_selector='app=web').items)
    apps.delete_namespaced_deployment('web', NS, propagation_policy='Foreground')
    eventually('no deployment', lambda: not apps.list_namespaced_deployment(NS).items)


core.create_namespace({'metadata': {'name': NS}})
eventually('its account', lambda: core.list_namespaced_service_account(NS).items)
for part in [lists_every_kind, reads_and_writes, watches, reads_pages, discovers, works_on_manifests]:
    part()
    print(part.__name__)
