import { basename } from 'node:path';
import { errorChain } from '../lib/log.ts';
import { kubernetesVersion, productVersion } from '../lib/version.ts';
import type { Environment } from './environment.ts';
import { renderHelp } from './flags.ts';
import { UsageError } from './usage-error.ts';

type Command = (argv: readonly string[], environment: Environment) => Promise<void> | void;

/** Commands load what they need when they run: `skiff kubectl` must not pay for the server. */
const commands: Readonly<Record<string, { readonly help: string; readonly hidden?: true; run: Command }>> = {
  server: {
    help: 'run the control plane, and pods too unless --disable-agent',
    run: async (a, e) => (await import('./server.ts')).runServer(a, e),
  },
  agent: { help: 'join a server and run pods', run: async (a, e) => (await import('./agent.ts')).runAgent(a, e) },
  kubectl: {
    help: 'the bundled kubectl, with the kubeconfig of this server',
    run: async (a, e) => (await import('./kubectl.ts')).runKubectl(a, e),
  },
  token: {
    help: 'tokens with which other machines join: create, list, delete, print-join',
    run: async (a, e) => (await import('./token.ts')).runToken(a, e),
  },
  status: {
    help: 'what runs on this machine, and whether it is well',
    run: async (a, e) => (await import('./status.ts')).runStatus(a, e),
  },
  'check-config': {
    help: 'whether this machine can run pods, and what to change if not',
    run: async () => (await import('./check-config.ts')).runCheckConfig(),
  },
  licences: {
    help: 'what this program carries inside, and under which licences',
    run: async () => (await import('./licences.ts')).runLicences(),
  },
  'unpack-archive': {
    help: '',
    hidden: true,
    run: async (a) => (await import('./bundled-programs.ts')).unpackArchive(a[0] as 'node', a[1]!),
  },
};

/** Exit code for what the person at the keyboard can mend. */
const usageExitCode = 2;

/**
 * Runs the command that the first word names, or the name the program was called by: a link named kubectl is `skiff kubectl`. `calledAs` is what
 * stood on the command line, path or not.
 */
export async function runCommand(calledAs: string, args: readonly string[], environment: Environment): Promise<void> {
  const own = basename(calledAs);
  const words = Object.hasOwn(commands, own) ? [own, ...args] : args;
  const [name, ...rest] = words;
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') return help(rest[0]);
    if (name === 'version' || name === '--version' || name === '-v') {
      console.log(`skiff ${productVersion} (Kubernetes ${kubernetesVersion}, Node.js ${process.version}, ${process.arch})`);
      return;
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(`there is no command ${JSON.stringify(name)}; skiff --help lists them`);
    if (name !== 'kubectl' && rest.some((word) => word === '--help' || word === '-h')) return help(name);
    await untilDone(command.run(rest, environment));
  } catch (error) {
    console.error(error instanceof UsageError ? `skiff: ${error.message}` : `skiff: ${errorChain(error)}`);
    process.exit(error instanceof UsageError ? usageExitCode : 1);
  }
}

const longestTimerMs = 2 ** 31 - 1;

/** Connections and timers that wait do not keep a process alive; a command that is not done yet must. */
async function untilDone(work: Promise<void> | void): Promise<void> {
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    await work;
  } finally {
    clearInterval(alive);
  }
}

function help(name: string | undefined): void {
  if (name === 'server' || name === 'agent') {
    console.log(
      `usage: skiff ${name} [flags]\n\n${commands[name]!.help}\n\nEvery flag is also a key of the config file and a variable: --data-dir, data-dir:, SKIFF_DATA_DIR.\n\n${renderHelp(name)}`,
    );
    return;
  }
  const lines = Object.entries(commands)
    .filter(([, c]) => !c.hidden)
    .map(([n, c]) => `  ${n.padEnd(14)}${c.help}`);
  console.log(
    `Skiff: Kubernetes for small machines.\n\nusage: skiff COMMAND [flags]\n\n${lines.join('\n')}\n  ${'version'.padEnd(14)}what is installed`,
  );
}
