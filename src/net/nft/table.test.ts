import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ProxyInput, planTable } from '../proxy/plan.ts';
import { servicePort } from '../proxy/testing.ts';
import { renderChanges, renderTable } from './table.ts';

const input = (services: ProxyInput['services'], hostPorts: ProxyInput['hostPorts'] = []): ProxyInput => ({
  tableName: 'skiff',
  clusterCidr: '10.42.0.0/16',
  podCidr: '10.42.0.0/24',
  services,
  hostPorts,
});

describe('renderChanges', () => {
  it('says nothing when nothing changed', () => {
    assert.equal(renderChanges(planTable(input([servicePort()])), planTable(input([servicePort()]))), undefined);
  });

  it('adds a chain before the element that goes there, and deletes it after', () => {
    const without = planTable(input([]));
    const withOne = planTable(input([servicePort()]));
    const added = renderChanges(without, withOne)!;
    assert.ok(added.indexOf('add chain ip skiff service-') < added.indexOf('add element ip skiff service-ips'), added);
    const removed = renderChanges(withOne, without)!;
    assert.ok(
      removed.indexOf('delete element ip skiff service-ips') < removed.indexOf('delete chain ip skiff service-'),
      removed,
    );
  });

  it('touches only the chain of the service whose backends changed', () => {
    const other = servicePort({ id: 'default/other:http', clusterIp: '10.43.0.9' });
    const before = planTable(input([servicePort(), other]));
    const after = planTable(input([servicePort({ backends: [{ ip: '10.42.0.7', port: 8080, local: true }] }), other]));
    const script = renderChanges(before, after)!;
    assert.equal(script.match(/flush chain/g)?.length, 1, script);
    assert.doesNotMatch(script, /delete table/);
  });

  it('moves a service without backends to the refused ones', () => {
    const script = renderChanges(
      planTable(input([servicePort()])),
      planTable(input([servicePort({ backends: [], externalBackends: [] })])),
    )!;
    assert.match(script, /delete element ip skiff service-ips/);
    assert.match(script, /add element ip skiff refused-services \{ 10\.43\.0\.5 \. tcp \. 80 : goto refuse \}/);
  });

  it('replaces the whole table when a declaration changed', () => {
    const script = renderChanges(
      planTable(input([servicePort({ affinitySeconds: 60 })])),
      planTable(input([servicePort({ affinitySeconds: 90 })])),
    )!;
    assert.match(script, /delete table ip skiff/);
  });
});

describe('renderTable', () => {
  it('replaces what was there in one transaction', () => {
    assert.match(renderTable(planTable(input([]))), /^add table ip skiff\ndelete table ip skiff\ntable ip skiff \{/);
  });
});
