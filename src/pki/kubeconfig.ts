import { writeSecretFile } from './secret-file.ts';

/** How a kubeconfig's user proves who it is. */
export type KubeconfigCredential =
  | { readonly certificatePem: string; readonly privateKeyPem: string }
  | { readonly token: string };

export interface KubeconfigOptions {
  /** `https://host:6443` */
  readonly server: string;
  readonly caPem: string;
  readonly credential: KubeconfigCredential;
  /** Name of the cluster, the user and the context. */
  readonly name?: string;
}

/** A complete kubeconfig as YAML text, certificates inside. */
export function kubeconfigText(options: KubeconfigOptions): string {
  const name = JSON.stringify(options.name ?? 'skiff');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user =
    'token' in options.credential
      ? [`    token: ${JSON.stringify(options.credential.token)}`]
      : [
          `    client-certificate-data: ${base64(options.credential.certificatePem)}`,
          `    client-key-data: ${base64(options.credential.privateKeyPem)}`,
        ];
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${name}`,
    '  cluster:',
    `    server: ${JSON.stringify(options.server)}`,
    `    certificate-authority-data: ${base64(options.caPem)}`,
    'users:',
    `- name: ${name}`,
    '  user:',
    ...user,
    'contexts:',
    `- name: ${name}`,
    '  context:',
    `    cluster: ${name}`,
    `    user: ${name}`,
    `current-context: ${name}`,
    'preferences: {}',
    '',
  ].join('\n');
}

/** Writes a kubeconfig; readable by its owner only unless `mode` says otherwise. */
export function writeKubeconfig(path: string, options: KubeconfigOptions, mode = 0o600): void {
  writeSecretFile(path, kubeconfigText(options), mode);
}
