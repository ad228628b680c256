import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import { createHttpsClient } from '../../client/https-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { certificateHash, parseCertificate } from '../../pki/certificate.ts';
import { bearerOf, type JoinToken, parseJoinToken } from '../../pki/join-token.ts';
import { readOptionalFile, writeSecretFile } from '../../pki/secret-file.ts';
import { type IssuedCertificate, requestCertificate } from './certificate-request.ts';
import { JoinError } from './join-error.ts';
import { fetchTrustedCa } from './trust.ts';

/** A certificate is renewed when this share of its life is over. */
const renewShare = 0.7;

const files = {
  ca: 'server-ca.crt',
  client: 'client-node',
  serving: 'serving-node',
  machineKey: 'machine-key',
} as const;

export interface CredentialsDeps {
  readonly directory: string;
  readonly server: string;
  readonly nodeName: string;
  readonly token: () => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the node proves itself with, kept in files only root can read. */
export class NodeCredentials {
  readonly #deps: CredentialsDeps;
  #ca = '';
  #client: IssuedCertificate | undefined;
  #serving: IssuedCertificate | undefined;

  constructor(deps: CredentialsDeps) {
    this.#deps = deps;
    this.#ca = readOptionalFile(this.#path(files.ca)) ?? '';
    this.#client = this.#load(files.client);
    this.#serving = this.#load(files.serving);
  }

  get ca(): string {
    return this.#ca;
  }

  get client(): IssuedCertificate | undefined {
    return this.#client;
  }

  get serving(): IssuedCertificate | undefined {
    return this.#serving;
  }

  /** True when the node can talk to its server without joining again. A token of another cluster means that it shall join that one. */
  get joined(): boolean {
    if (this.#ca !== '' && !this.#isOfTokensCluster()) return false;
    const end = this.#client && parseCertificate(this.#client.certificate).notAfterMs;
    return this.#ca !== '' && end !== undefined && end > this.#deps.clock.now() && this.#isOfThisNode();
  }

  /** A secret of this machine, made at the first use. */
  machineKey(): string {
    const path = this.#path(files.machineKey);
    const known = readOptionalFile(path)?.trim();
    if (known) return known;
    const made = createHash('sha256').update(randomBytes(32)).digest('hex');
    writeSecretFile(path, made);
    return made;
  }

  /** Gets the client certificate with the join token. Rejects with a JoinError. */
  async join(): Promise<void> {
    const { server, token, clock, log, nodeName } = this.#deps;
    const parsed = parseToken(token());
    const ca = await fetchTrustedCa(server, parsed, clock.now());
    if (parsed.caHash === undefined)
      log.warn('the join token does not name the cluster certificate: the server was trusted as it is');
    const client = createHttpsClient({ server, ca, credentials: { token: bearerOf(parsed) }, log, clock });
    try {
      const machineKey = this.machineKey();
      const wish = {
        nodeName,
        machineKey,
        signer: 'kubernetes.io/kube-apiserver-client-kubelet',
        names: { dns: [], ips: [] },
      } as const;
      const certificate = await requestCertificate(client, clock, wish);
      writeSecretFile(this.#path(files.ca), ca);
      this.#ca = ca;
      this.#client = this.#store(files.client, certificate);
    } catch (error) {
      throw joinProblem(error, server);
    } finally {
      client.close();
    }
  }

  /** Renews the client certificate when its time has come. Returns whether it did. */
  async renewClient(client: Client): Promise<boolean> {
    if (this.#client && !this.#isOld(this.#client)) return false;
    const { nodeName, clock } = this.#deps;
    const wish = {
      nodeName,
      machineKey: this.machineKey(),
      signer: 'kubernetes.io/kube-apiserver-client-kubelet',
      names: { dns: [], ips: [] },
    } as const;
    this.#client = this.#store(files.client, await requestCertificate(client, clock, wish));
    return true;
  }

  /** Gets a serving certificate for these addresses, unless the one there is good. Returns whether it is a new one. */
  async renewServing(client: Client, addresses: readonly string[]): Promise<boolean> {
    if (this.#serving && !this.#isOld(this.#serving) && servesAddresses(this.#serving, addresses)) return false;
    const { nodeName, clock } = this.#deps;
    const names = { dns: [nodeName], ips: addresses };
    const wish = { nodeName, machineKey: this.machineKey(), signer: 'kubernetes.io/kubelet-serving', names } as const;
    this.#serving = this.#store(files.serving, await requestCertificate(client, clock, wish));
    return true;
  }

  #isOld({ certificate }: IssuedCertificate): boolean {
    const { notBeforeMs, notAfterMs } = parseCertificate(certificate);
    return this.#deps.clock.now() > notBeforeMs + (notAfterMs - notBeforeMs) * renewShare;
  }

  #isOfTokensCluster(): boolean {
    try {
      const { caHash } = parseJoinToken(this.#deps.token() ?? '');
      return caHash === undefined || caHash === certificateHash(this.#ca);
    } catch {
      // No token, or none any more: what was joined counts.
      return true;
    }
  }

  #isOfThisNode(): boolean {
    return parseCertificate(this.#client!.certificate).subject.commonName === `system:node:${this.#deps.nodeName}`;
  }

  #load(name: string): IssuedCertificate | undefined {
    const certificate = readOptionalFile(this.#path(`${name}.crt`));
    const key = readOptionalFile(this.#path(`${name}.key`));
    return certificate && key ? { certificate, key } : undefined;
  }

  #store(name: string, issued: IssuedCertificate): IssuedCertificate {
    writeSecretFile(this.#path(`${name}.key`), issued.key);
    writeSecretFile(this.#path(`${name}.crt`), issued.certificate);
    return issued;
  }

  #path(name: string): string {
    return join(this.#deps.directory, name);
  }
}

function parseToken(text: string | undefined): JoinToken {
  if (!text) throw new JoinError('there is no join token', { hint: 'give one with --token, or SKIFF_TOKEN', retryMs: 60_000 });
  try {
    return parseJoinToken(text);
  } catch (error) {
    throw new JoinError(error instanceof Error ? error.message : String(error), { hint: 'check --token', retryMs: 60_000 });
  }
}

function joinProblem(error: unknown, server: string): Error {
  if (error instanceof JoinError) return error;
  if (isStatus(error, 'Unauthorized', 'Forbidden'))
    return new JoinError('the server does not accept the join token', {
      hint: 'it may have been typed wrong, have expired or been deleted. Make a new one on the server: "skiff token create".',
      retryMs: 60_000,
      cause: error,
    });
  return new JoinError(`joining through ${server} failed`, { hint: 'this machine keeps trying', cause: error });
}

function servesAddresses({ certificate }: IssuedCertificate, addresses: readonly string[]): boolean {
  const parsed = new X509Certificate(certificate);
  return addresses.every((address) => parsed.checkIP(address) !== undefined);
}
