import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import {
  type CertificateAuthority,
  certificateHash,
  createCertificateAuthority,
  isSignedBy,
  issueLeaf,
  isValidAt,
  type ParsedCertificate,
  parseCertificate,
} from './certificate.ts';
import { type AlternativeNames, canonicalIp, decodeAlternativeNames, type ExtendedUsage } from './extensions.ts';
import { generatePrivateKey, parsePrivateKey, privateKeyPem } from './keys.ts';
import type { Subject } from './name.ts';
import { Oid } from './oids.ts';
import { readOptionalFile, writeSecretFile } from './secret-file.ts';

/** A certificate and its key, both PEM, as TLS wants them. */
export interface KeyPair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export const leafNames = ['serving', 'kubelet-client', 'admin', 'front-proxy-client'] as const;
export type LeafName = (typeof leafNames)[number];

interface LeafPlan {
  readonly subject: Subject;
  readonly usages: readonly ExtendedUsage[];
  readonly signer: 'ca' | 'frontProxyCa';
}

const plans: Readonly<Record<LeafName, LeafPlan>> = {
  serving: { subject: { commonName: 'kube-apiserver', organizations: [] }, usages: ['serverAuth'], signer: 'ca' },
  // In no group: a node that gives this server's own address for its own gets requests nobody would carry out.
  'kubelet-client': {
    subject: { commonName: 'kube-apiserver-kubelet-client', organizations: [] },
    usages: ['clientAuth'],
    signer: 'ca',
  },
  admin: { subject: { commonName: 'system:admin', organizations: ['system:masters'] }, usages: ['clientAuth'], signer: 'ca' },
  'front-proxy-client': {
    subject: { commonName: 'front-proxy-client', organizations: [] },
    usages: ['clientAuth'],
    signer: 'frontProxyCa',
  },
};

/** A leaf is renewed when less than this part of its life is left. */
const renewalFraction = 1 / 3;

/**
 * The identity of a server: two CAs, the certificates it uses itself and the key that signs service-account tokens, kept in one folder
 * (files 0600). Leaves are replaced in place, without a restart: ask `leaf()` for each new connection, or subscribe with `onRenewed`.
 */
export class ServerPki {
  readonly ca: CertificateAuthority;
  readonly frontProxyCa: CertificateAuthority;
  /** ECDSA P-256. */
  readonly serviceAccountKey: KeyObject;
  /** What join tokens pin. */
  readonly caHash: string;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #leaves = new Map<LeafName, { pair: KeyPair; parsed: ParsedCertificate }>();
  readonly #listeners = new Set<(name: LeafName) => void>();
  #names: AlternativeNames;

  constructor(options: { dir: string; names: AlternativeNames; clock: Clock }) {
    this.#dir = options.dir;
    this.#clock = options.clock;
    this.#names = options.names;
    this.ca = this.#authority('ca', 'skiff-ca');
    this.frontProxyCa = this.#authority('front-proxy-ca', 'skiff-front-proxy-ca');
    this.serviceAccountKey = this.#key('service-account');
    this.caHash = certificateHash(this.ca.certificatePem);
    for (const name of leafNames) this.#leaves.set(name, this.#stored(name) ?? this.#issue(name));
    this.renew();
  }

  /** The certificate in use now. */
  leaf(name: LeafName): KeyPair {
    return this.#leaves.get(name)!.pair;
  }

  /** Called after a leaf was replaced. Returns the function that ends it. */
  onRenewed(listener: (name: LeafName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The leaves that are near their end, or, for the serving certificate, do not name every address of the server. */
  needsRenewal(): LeafName[] {
    return leafNames.filter((name) => {
      const { parsed } = this.#leaves.get(name)!;
      const life = parsed.notAfterMs - parsed.notBeforeMs;
      if (parsed.notAfterMs - this.#clock.now() < life * renewalFraction) return true;
      return name === 'serving' && !covers(parsed, this.#names);
    });
  }

  /** Replaces what needs it. Returns the names of the new leaves. */
  renew(): LeafName[] {
    const due = this.needsRenewal();
    for (const name of due) this.#leaves.set(name, this.#issue(name));
    for (const name of due) for (const listener of this.#listeners) listener(name);
    return due;
  }

  /** The server's host names and addresses have changed: the serving certificate follows at once. */
  setNames(names: AlternativeNames): LeafName[] {
    this.#names = names;
    return this.renew();
  }

  #path(file: string): string {
    return join(this.#dir, file);
  }

  #authority(file: string, commonName: string): CertificateAuthority {
    const certificatePem = readOptionalFile(this.#path(`${file}.crt`));
    const keyPem = readOptionalFile(this.#path(`${file}.key`));
    if (certificatePem === undefined) {
      const made = createCertificateAuthority({ commonName, nowMs: this.#clock.now() });
      writeSecretFile(this.#path(`${file}.key`), privateKeyPem(made.privateKey));
      writeSecretFile(this.#path(`${file}.crt`), made.certificatePem);
      return made;
    }
    if (keyPem === undefined)
      throw new Error(
        `${this.#path(`${file}.key`)} is missing. Put the key of ${file}.crt back, or restore a backup of this folder.`,
      );
    const privateKey = parsePrivateKey(keyPem);
    if (!new X509Certificate(certificatePem).checkPrivateKey(privateKey))
      throw new Error(`${file}.key in ${this.#dir} does not belong to ${file}.crt. Restore both from the same backup.`);
    return { certificatePem, privateKey };
  }

  #key(file: string): KeyObject {
    const path = this.#path(`${file}.key`);
    const pem = readOptionalFile(path);
    if (pem !== undefined) return parsePrivateKey(pem);
    const key = generatePrivateKey();
    writeSecretFile(path, privateKeyPem(key));
    return key;
  }

  /** The leaf on disk, when both files are there, belong together and to our CA. */
  #stored(name: LeafName): { pair: KeyPair; parsed: ParsedCertificate } | undefined {
    const certificatePem = readOptionalFile(this.#path(`${name}.crt`));
    const keyPem = readOptionalFile(this.#path(`${name}.key`));
    if (certificatePem === undefined || keyPem === undefined) return undefined;
    try {
      const parsed = parseCertificate(certificatePem);
      const signer = new X509Certificate(this[plans[name].signer].certificatePem);
      const belongs = new X509Certificate(certificatePem).checkPrivateKey(parsePrivateKey(keyPem));
      if (!belongs || !isSignedBy(parsed, signer) || !isValidAt(parsed, this.#clock.now())) return undefined;
      return { pair: { certificatePem, privateKeyPem: keyPem }, parsed };
    } catch {
      return undefined;
    }
  }

  #issue(name: LeafName): { pair: KeyPair; parsed: ParsedCertificate } {
    const { subject, usages, signer } = plans[name];
    const key = generatePrivateKey();
    const certificatePem = issueLeaf(this[signer], {
      subject,
      usages,
      publicKey: createPublicKey(key),
      nowMs: this.#clock.now(),
      ...(name === 'serving' ? { names: this.#names } : {}),
    });
    const pair = { certificatePem, privateKeyPem: privateKeyPem(key) };
    writeSecretFile(this.#path(`${name}.key`), pair.privateKeyPem);
    writeSecretFile(this.#path(`${name}.crt`), pair.certificatePem);
    return { pair, parsed: parseCertificate(certificatePem) };
  }
}

function covers(certificate: ParsedCertificate, wanted: AlternativeNames): boolean {
  const extension = certificate.extensions.get(Oid.subjectAltName);
  const has: AlternativeNames = extension ? decodeAlternativeNames(extension) : { dns: [], ips: [] };
  return wanted.dns.every((name) => has.dns.includes(name)) && wanted.ips.every((ip) => has.ips.includes(canonicalIp(ip)));
}

/** Opens the folder, making whatever is missing. Names every client may use for this server belong in `hostnames` and `ips`. */
export function ensureServerPki(options: {
  dir: string;
  hostnames: readonly string[];
  ips: readonly string[];
  clock: Clock;
}): ServerPki {
  return new ServerPki({ dir: options.dir, names: { dns: options.hostnames, ips: options.ips }, clock: options.clock });
}
