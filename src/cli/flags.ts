/** The table from which the command line, SKIFF_* variables, config.yaml and `--help` come. */
export interface Flag {
  /** `--name` on the command line and the key in config.yaml. The variable is SKIFF_NAME. */
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'number' | 'list';
  readonly commands: readonly ('server' | 'agent')[];
  readonly help: string;
  /** As text, for --help; the value itself for string, boolean and number flags. */
  readonly default?: string | boolean | number;
  /** What stands for the value in --help. */
  readonly value?: string;
  /** Older or shorter spellings. */
  readonly aliases?: readonly string[];
}

const both = ['server', 'agent'] as const;
const server = ['server'] as const;
const agent = ['agent'] as const;

const flags: readonly Flag[] = [
  {
    name: 'config',
    type: 'string',
    commands: both,
    value: 'FILE',
    default: '/etc/skiff/config.yaml',
    help: 'YAML file with any of these settings; FILE.d/*.yaml is read after it',
  },
  {
    name: 'data-dir',
    type: 'string',
    commands: both,
    value: 'DIR',
    default: '/var/lib/skiff',
    help: 'where everything that must survive a restart is kept',
  },
  {
    name: 'run-dir',
    type: 'string',
    commands: both,
    value: 'DIR',
    default: '/run/skiff',
    help: 'where sockets and state that a reboot may lose are kept',
  },
  {
    name: 'token',
    type: 'string',
    commands: both,
    value: 'TOKEN',
    help: 'server: the secret with which others join (made at first start if not given); agent: the token the server printed',
  },
  { name: 'token-file', type: 'string', commands: both, value: 'FILE', help: 'file that holds the token' },
  { name: 'debug', type: 'boolean', commands: both, default: false, help: 'log more' },

  {
    name: 'bind-address',
    type: 'string',
    commands: server,
    value: 'IP',
    default: '::',
    help: 'address on which the API listens',
  },
  {
    name: 'https-listen-port',
    type: 'number',
    commands: server,
    value: 'PORT',
    default: 6443,
    help: 'port on which the API listens',
  },
  {
    name: 'advertise-address',
    type: 'string',
    commands: server,
    value: 'IP',
    help: 'address under which others reach the API (default: --node-ip)',
  },
  {
    name: 'tls-san',
    type: 'list',
    commands: server,
    value: 'NAME,…',
    help: 'more names and addresses for the server certificate',
  },
  {
    name: 'write-kubeconfig',
    type: 'string',
    commands: server,
    value: 'FILE',
    default: '/etc/skiff/skiff.yaml',
    help: 'where the administrator kubeconfig is written',
  },
  { name: 'write-kubeconfig-mode', type: 'string', commands: server, value: 'MODE', default: '0600', help: 'its file mode' },
  {
    name: 'agent-token',
    type: 'string',
    commands: server,
    value: 'TOKEN',
    help: 'a separate secret with which only agents join',
  },
  { name: 'cluster-cidr', type: 'string', commands: server, value: 'CIDR', default: '10.42.0.0/16', help: 'addresses of pods' },
  {
    name: 'service-cidr',
    type: 'string',
    commands: server,
    value: 'CIDR',
    default: '10.43.0.0/16',
    help: 'addresses of services',
  },
  {
    name: 'service-node-port-range',
    type: 'string',
    commands: server,
    value: 'A-B',
    default: '30000-32767',
    help: 'ports of NodePort services',
  },
  {
    name: 'cluster-dns',
    type: 'string',
    commands: server,
    value: 'IP',
    help: 'address of the cluster DNS (default: the tenth of --service-cidr)',
  },
  {
    name: 'cluster-domain',
    type: 'string',
    commands: server,
    value: 'NAME',
    default: 'cluster.local',
    help: 'DNS domain of the cluster',
  },
  { name: 'disable-agent', type: 'boolean', commands: server, default: false, help: 'run no pods on this machine' },

  {
    name: 'server',
    type: 'string',
    commands: agent,
    value: 'URL',
    help: 'the server to join, e.g. https://192.168.1.10:6443',
    aliases: ['url'],
  },
  { name: 'node-name', type: 'string', commands: both, value: 'NAME', help: 'name of this node (default: the host name)' },
  {
    name: 'node-ip',
    type: 'string',
    commands: both,
    value: 'IP',
    help: 'address of this node (default: that of the default route)',
  },
  { name: 'node-external-ip', type: 'string', commands: both, value: 'IP', help: 'public address of this node' },
  { name: 'node-label', type: 'list', commands: both, value: 'K=V,…', help: 'labels with which the node registers' },
  { name: 'node-taint', type: 'list', commands: both, value: 'K=V:EFFECT,…', help: 'taints with which the node registers' },
  {
    name: 'kubelet-port',
    type: 'number',
    commands: both,
    value: 'PORT',
    default: 10250,
    help: 'port on which the node agent answers logs and exec',
  },
  {
    name: 'flannel-backend',
    type: 'string',
    commands: both,
    value: 'KIND',
    default: 'vxlan',
    help: 'how pods of different nodes reach each other: vxlan or host-gw',
    aliases: ['network-backend'],
  },
  {
    name: 'resolv-conf',
    type: 'string',
    commands: both,
    value: 'FILE',
    default: '/etc/resolv.conf',
    help: 'upstream DNS servers',
  },
  {
    name: 'container-runtime-endpoint',
    type: 'string',
    commands: both,
    value: 'SOCKET',
    help: 'use this containerd instead of the bundled one',
  },
  { name: 'pause-image', type: 'string', commands: both, value: 'IMAGE', help: 'sandbox image (default: the bundled one)' },
  {
    name: 'shared-shim',
    type: 'boolean',
    commands: both,
    help: 'one containerd shim for all pods: saves memory (default: on below 1 GB of memory)',
  },
  {
    name: 'pod-logs-dir',
    type: 'string',
    commands: both,
    value: 'DIR',
    default: '/var/log/pods',
    help: 'where the output of containers is kept',
  },
  { name: 'cgroup-root', type: 'string', commands: both, value: 'PATH', default: '/', help: 'cgroup below which pods run' },
];

/** The flags of one command, in the order of the table. */
export function flagsOf(command: 'server' | 'agent'): Flag[] {
  return flags.filter((f) => f.commands.includes(command));
}

/** `SKIFF_DATA_DIR` for `data-dir`. */
export function variableOf(flag: Flag): string {
  return `SKIFF_${flag.name.replaceAll('-', '_').toUpperCase()}`;
}

/** The lines of `--help` for a command's flags. */
export function renderHelp(command: 'server' | 'agent'): string {
  const rows = flagsOf(command).map(
    (f) =>
      [
        `  --${f.name}${f.value ? ` ${f.value}` : ''}`,
        `${f.help}${f.default === undefined || f.default === false ? '' : ` (default: ${f.default})`}`,
      ] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => left.padEnd(width) + right).join('\n');
}
