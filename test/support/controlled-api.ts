import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../src/client/client.ts';
import { createEventRecorder } from '../../src/client/event-recorder.ts';
import { InformerFactory } from '../../src/client/informer-factory.ts';
import { createLoopbackClient, type Identity } from '../../src/client/loopback-client.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Component } from '../../src/lib/component.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { ensureServerPki, type ServerPki } from '../../src/pki/server-pki.ts';
import { ensureStaticTokens, type StaticTokens } from '../../src/pki/token-files.ts';
import { createController, identityOf } from '../../src/reconcile/controller.ts';
import { createMetadataWatch } from '../../src/reconcile/metadata-watch.ts';
import type { ApiServer } from '../../src/server/api-server.ts';
import { ensureBootstrapRbac } from '../../src/server/auth/bootstrap/ensure-bootstrap-rbac.ts';
import { createSecretTokens } from '../../src/server/auth/tokens/secret-tokens.ts';
import { systemMaster } from '../../src/server/auth/user.ts';
import { createGarbageCollector } from '../../src/server/controllers/gc/collector.ts';
import { allControllers } from '../../src/server/controllers/index.ts';
import { createCsrApprover } from '../../src/server/join/csr-approver.ts';
import { createServerSecurity, type ServerSecurity } from '../../src/server/security.ts';
import { startTestApi } from './api-server.ts';

export interface ControlledApi {
  readonly server: ApiServer;
  readonly pki: ServerPki;
  readonly staticTokens: StaticTokens;
  /** Of the certificates, keys and tokens. */
  readonly dir: string;
  /** The administrator's certificate (DER), for `inject`. */
  readonly admin: Uint8Array;
  client(as: Identity): Client;
  stop(): Promise<void>;
}

const issuer = 'https://kubernetes.default.svc';

/**
 * An API server over memory with its real security (certificates, tokens, RBAC and its default roles, admission, certificate signing) and,
 * when asked for, every controller; no scheduler. Requests come by `inject`, or over a socket when `listen` is given. The clock is the API server's.
 */
export async function startControlledApi(
  options: { clock?: Clock; controllers?: boolean; listen?: boolean } = {},
): Promise<ControlledApi> {
  const clock = options.clock ?? systemClock;
  const dir = mkdtempSync(join(tmpdir(), 'skiff-test-'));
  const pki = ensureServerPki({ dir: join(dir, 'tls'), hostnames: ['localhost'], ips: ['127.0.0.1'], clock });
  const staticTokens = ensureStaticTokens({ dir, caHash: pki.caHash });
  let server: ApiServer | undefined;
  const client = (as: Identity): Client => createLoopbackClient(server!.inProcess, as);
  const security = createServerSecurity({
    pki,
    staticTokens,
    clock,
    issuer,
    serverUrl: () => 'https://10.0.0.1:6443',
    client: () => client(systemMaster),
  });
  const started = await startTestApi({
    clock,
    overrides: {
      security: (reader) => security.attach(reader),
      paths: security.paths,
      publicPaths: security.publicPaths,
      ...(options.listen ? { tls: security.tls, host: '127.0.0.1' } : {}),
    },
  });
  server = started.server;
  await ensureBootstrapRbac({ reader: server.reader, client: client(systemMaster) });
  const components = [
    ...credentials({ server, pki, security, client }),
    ...(options.controllers ? controllers(pki, client) : []),
  ];
  for (const component of components) await component.start();
  return {
    server,
    pki,
    staticTokens,
    dir,
    admin: new X509Certificate(pki.leaf('admin').certificatePem).raw,
    client,
    async stop() {
      for (const component of components.reverse()) await component.stop();
      await started.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

type ClientFor = (as: Identity) => Client;

function credentials(deps: { server: ApiServer; pki: ServerPki; security: ServerSecurity; client: ClientFor }): Component[] {
  const { server, pki, security } = deps;
  const shared = { reader: server.reader, clock: systemClock, log: silentLogger };
  const signing = deps.client(identityOf({ name: 'certificate' }));
  return [
    createCsrApprover({ ...shared, client: signing, authorizer: security.authorization(), ca: pki.ca }),
    createSecretTokens({ ...shared, client: deps.client(systemMaster), tokens: security.tokens(), caPem: pki.ca.certificatePem }),
  ];
}

/** In the order they start. */
function controllers(pki: ServerPki, clientFor: ClientFor): Component[] {
  const shared = { clock: systemClock, log: silentLogger };
  const client = clientFor(systemMaster);
  const informers = new InformerFactory({ client, ...shared });
  const metadata = createMetadataWatch({ client, informers, ...shared });
  const definitions = allControllers({ rootCa: pki.ca.certificatePem, clusterCidrs: [], metadata });
  const ends: Component = { name: 'informers', start: async () => {}, stop: async () => informers.stop() };
  const running = definitions.map((definition) => {
    const own = clientFor(identityOf(definition));
    const events = createEventRecorder({ client: own, component: definition.name, ...shared });
    return createController(definition, { client: own, informers, events, ...shared });
  });
  return [ends, metadata, ...running, createGarbageCollector({ client, metadata, ...shared })];
}
