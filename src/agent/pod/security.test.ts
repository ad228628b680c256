import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EphemeralContainer, Pod } from '../../api/generated/types.ts';
import { containerSecurity } from './security.ts';

describe('containerSecurity', () => {
  const context = { image: {}, seccompRoot: '/' };
  const pod = (containerID?: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'c' }] },
    status: {
      containerStatuses: [
        { name: 'c', image: '', imageID: '', ready: true, restartCount: 0, ...(containerID ? { containerID } : {}) },
      ],
    },
  });
  const debug: EphemeralContainer = { name: 'debug', targetContainerName: 'c' };

  it('joins the processes of the target of an ephemeral container', () =>
    assert.equal(containerSecurity(pod('containerd://abc'), debug, context).targetContainerId, 'abc'));

  it('refuses a target that was never started', () =>
    assert.throws(() => containerSecurity(pod(), debug, context), /unable to find target container "c"/));
});
