import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKubeconfig } from './kubeconfig.ts';

const text = `
current-context: home
contexts:
- {name: home, context: {cluster: pi, user: me, namespace: web}}
- {name: other, context: {cluster: pi, user: plugin}}
- {name: token, context: {cluster: pi, user: token}}
clusters:
- {name: pi, cluster: {server: 'https://pi:6443', certificate-authority-data: Q0E=}}
users:
- {name: me, user: {client-certificate: /c.crt, client-key: /c.key}}
- {name: plugin, user: {exec: {command: x}}}
- {name: token, user: {tokenFile: /t}}
`;
const readFile = (path: string): string => `<${path}>\n`;

describe('kubeconfig', () => {
  it('reads the current context, data and files', () => {
    assert.deepEqual(readKubeconfig(text, { readFile }), {
      server: 'https://pi:6443',
      ca: 'CA',
      credentials: { certificate: '</c.crt>\n', key: '</c.key>\n' },
      namespace: 'web',
    });
  });

  it('reads a token file', () => {
    assert.deepEqual(readKubeconfig(text, { context: 'token', readFile }).credentials, { token: '</t>' });
  });

  for (const [title, document, context, message] of [
    ['a context that is not there', text, 'missing', /no context named missing/],
    ['a credential plugin', text, 'other', /only kubectl can run/],
    ['an empty file', '', undefined, /choose one with --context/],
  ] as const) {
    it(`${title} is refused with a reason`, () => {
      assert.throws(() => readKubeconfig(document, { ...(context ? { context } : {}), readFile }), message);
    });
  }
});
