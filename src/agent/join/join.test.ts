import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { throwAwayTls } from '../../../test/support/throw-away-tls.ts';
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts';
import { FakeClient } from '../../client/fake-client.ts';
import { FakeClock, systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { certificateHash } from '../../pki/certificate.ts';
import { requestCertificate } from './certificate-request.ts';
import { NodeCredentials } from './node-credentials.ts';
import { fetchTrustedCa } from './trust.ts';

describe('joining', () => {
  const tls = throwAwayTls();
  const token = { caHash: certificateHash(tls.caPem), id: 'agent', secret: 'x' };
  let server: Server;
  let url: string;
  let date: string | undefined;
  before(async () => {
    const { certificatePem, keyPem } = tls.tls.current();
    server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
      if (date !== undefined) response.setHeader('date', date);
      response.statusCode = request.url === '/cacerts' ? 200 : 404;
      response.end(tls.caPem);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  const refused = (promise: Promise<unknown>, message: RegExp, hint: RegExp): Promise<void> =>
    assert.rejects(promise, (error: Error & { hint: string }) => {
      assert.match(error.message, message);
      assert.match(error.hint, hint);
      return true;
    });

  it('takes the certificate its token names', async () => {
    assert.equal(await fetchTrustedCa(url, token, Date.now()), tls.caPem);
    assert.equal(await fetchTrustedCa(url, { id: 'abcdef', secret: 'x' }, Date.now()), tls.caPem);
  });

  it('refuses the certificate of another cluster', () =>
    refused(
      fetchTrustedCa(url, { ...token, caHash: '0'.repeat(64) }, Date.now()),
      /not the one the join token was made for/,
      /Nothing secret has been sent/,
    ));

  it('says that the server cannot be reached', () =>
    refused(fetchTrustedCa('https://127.0.0.1:1', token, Date.now()), /cannot be reached/, /firewall.*keeps trying/));

  it('says that the clock is wrong', async () => {
    date = new Date().toUTCString();
    await refused(
      fetchTrustedCa(url, token, Date.UTC(1970, 0, 2)),
      /clock of this machine is wrong: it shows 1970-01-02/,
      /timedatectl/,
    );
    await refused(fetchTrustedCa(url, token, Date.now() + 3_600_000), /clock/, /timedatectl/);
    date = undefined;
  });

  it('tells what to do when the name is taken', async () => {
    const clock = new FakeClock();
    const client = new FakeClient(clock);
    const wish = {
      nodeName: 'pi1',
      machineKey: 'k',
      signer: 'kubernetes.io/kube-apiserver-client-kubelet',
      names: { dns: [], ips: [] },
    } as const;
    const asked = requestCertificate(client, clock, wish);
    await new Promise((resolve) => setImmediate(resolve));
    const [csr] = client.all(CertificateSigningRequest);
    assert.equal(csr!.metadata.annotations!['skiff.dev/machine-key'], 'k');
    client.mutate(CertificateSigningRequest, { name: csr!.metadata.name }, (object) => {
      object.status = {
        conditions: [{ type: 'Denied', status: 'True', reason: 'NodeNameTaken', message: 'Another machine is pi1.' }],
      };
    });
    clock.advance(1_000);
    await refused(asked, /Another machine is pi1/, /--node-name/);
  });

  it('keeps its secrets to root', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-join-'));
    try {
      const credentials = new NodeCredentials({
        directory: join(directory, 'tls'),
        server: url,
        nodeName: 'pi1',
        token: () => undefined,
        clock: systemClock,
        log: silentLogger,
      });
      const key = credentials.machineKey();
      assert.equal(credentials.machineKey(), key);
      assert.equal(statSync(join(directory, 'tls/machine-key')).mode & 0o777, 0o600);
      assert.equal(credentials.joined, false);
      await refused(credentials.join(), /no join token/, /--token/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
