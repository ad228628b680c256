import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildBusyboxTar } from './containerd-fixture.ts';
import { eventually } from './eventually.ts';

/** The executable under test: what ships. */
export const skiffProgram = resolve(`dist/skiff-linux-${process.arch}`);
/** The image of docs/examples/hello.yaml. */
export const exampleImage = 'docker.io/library/busybox:1.37';

const subnet = '192.168.77';

/**
 * Machines as network namespaces behind one switch, each with folders and cgroups of its own. Only inside `isolated`: everything is gone when
 * its namespaces end.
 */
export class Machines {
  readonly #folder: string;
  readonly #cgroupRoot: string;
  readonly #machines: Machine[] = [];

  constructor(place: { readonly folder: string; readonly cgroupRoot: string }) {
    this.#folder = place.folder;
    this.#cgroupRoot = place.cgroupRoot;
    shell('ip link add sw0 type bridge; ip link set sw0 up; mkdir -p /run/netns');
    // What passes the switch is not this namespace's to filter.
    writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', '0');
  }

  /** A machine with the address 192.168.77.<10 + n>, and the example image in its images folder. */
  add(name: string): Machine {
    const index = this.#machines.length + 1;
    const ip = `${subnet}.${10 + index}`;
    shell(`
      ip netns add ${name}
      ip link add p${index} type veth peer name eth0 netns ${name}
      ip link set p${index} master sw0 up
      nsenter --net=/run/netns/${name} sh -ec 'ip link set lo up; ip link set eth0 up; ip address add ${ip}/24 dev eth0; ip route add default via ${subnet}.1'
    `);
    const machine = new Machine({ name, ip, folder: join(this.#folder, name), cgroupRoot: `${this.#cgroupRoot}/${name}` });
    this.#machines.push(machine);
    return machine;
  }

  /** Stops every Skiff that still runs. */
  async stop(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.stop()));
  }
}

/** One machine of a cluster: its network namespace, folders and the Skiffs that run in it. */
export class Machine {
  readonly name: string;
  readonly ip: string;
  readonly folder: string;
  readonly cgroupRoot: string;
  readonly #processes: SkiffProcess[] = [];

  constructor(options: { name: string; ip: string; folder: string; cgroupRoot: string }) {
    this.name = options.name;
    this.ip = options.ip;
    this.folder = options.folder;
    this.cgroupRoot = options.cgroupRoot;
    mkdirSync(join(this.folder, 'data/agent/images'), { recursive: true });
    writeFileSync(join(this.folder, 'data/agent/images/busybox.tar'), buildBusyboxTar(exampleImage));
    writeFileSync(join(this.folder, 'resolv.conf'), '');
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get kubeconfig(): string {
    return join(this.folder, 'kubeconfig.yaml');
  }

  /** Flags that keep a Skiff inside this machine. */
  get flags(): string[] {
    return [
      ...['--data-dir', this.dataDir, '--run-dir', `/run/skiff-${this.name}`, '--node-name', this.name, '--node-ip', this.ip],
      ...['--cgroup-root', this.cgroupRoot, '--resolv-conf', join(this.folder, 'resolv.conf')],
    ];
  }

  startServer(...flags: string[]): SkiffProcess {
    return this.start(['server', ...this.flags, '--write-kubeconfig', this.kubeconfig, ...flags]);
  }

  startAgent(server: Machine, token: string, ...flags: string[]): SkiffProcess {
    return this.start(['agent', ...this.flags, '--server', `https://${server.ip}:6443`, '--token', token, ...flags]);
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): SkiffProcess {
    const log = join(this.folder, 'skiff.log');
    const started = new SkiffProcess(['nsenter', `--net=/run/netns/${this.name}`, skiffProgram, ...args], log, environment);
    this.#processes.push(started);
    return started;
  }

  /** The token other machines join with; waits for the server to write it. */
  nodeToken(): Promise<string> {
    return eventually('node token', () => readFileSync(join(this.dataDir, 'server/node-token'), 'utf8').trim(), 30_000);
  }

  /** Runs a program in this machine's network and returns what it printed. Rejects with its standard error. */
  run(program: string, args: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
    return run('nsenter', [`--net=/run/netns/${this.name}`, program, ...args], options);
  }

  /** The bundled kubectl against this machine's server. */
  kubectl(...args: string[]): Promise<string> {
    return this.kubectlWith({}, ...args);
  }

  kubectlWith(options: { input?: string; timeoutMs?: number }, ...args: string[]): Promise<string> {
    const env = [`SKIFF_DATA_DIR=${this.dataDir}`, `KUBECONFIG=${this.kubeconfig}`, `HOME=${this.folder}`];
    return this.run('env', [...env, skiffProgram, 'kubectl', ...args], options);
  }

  /** Waits until the server answers that this node is Ready. */
  async nodeReady(server: Machine, timeoutMs = 60_000): Promise<void> {
    await eventually(
      `node ${this.name} Ready`,
      async () => {
        const status = await server.kubectl(
          'get',
          'node',
          this.name,
          '-o',
          'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
        );
        return status === 'True';
      },
      timeoutMs,
    );
  }

  get log(): string {
    return readFileSync(join(this.folder, 'skiff.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((p) => p.stop()));
  }
}

const stopTimeoutMs = 30_000;

/** A running `skiff server` or `skiff agent`. */
export class SkiffProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  #ended = false;

  constructor(command: readonly string[], logFile: string, environment: Readonly<Record<string, string>>) {
    const log = createWriteStream(logFile, { flags: 'a' });
    this.child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
    this.child.stdout!.pipe(log, { end: false });
    this.child.stderr!.pipe(log, { end: false });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.#ended = true;
        resolve(code ?? signal ?? 'unknown');
      });
    });
  }

  /** nsenter becomes the program, so this is its pid. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Ends it (SIGTERM; SIGKILL when that takes too long) and resolves with the exit code or signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (!this.#ended) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopTimeoutMs);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

const commandTimeoutMs = 60_000;

/** Runs a program; rejects with what it wrote to standard error. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolvePromise, reject) => {
    const child = execFile(
      program,
      args,
      { timeout: options.timeoutMs ?? commandTimeoutMs, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (!error) resolvePromise(stdout);
        else
          reject(
            Object.assign(new Error(`${args.slice(-6).join(' ')}: ${stderr.trim() || error.message}`), {
              stdout,
              stderr,
              code: error.code,
            }),
          );
      },
    );
    // A program that has already ended says why by its exit code.
    child.stdin!.on('error', () => {}).end(options.input ?? '');
  });
}

function shell(script: string): void {
  execFileSync('sh', ['-ec', script], { stdio: ['ignore', 'ignore', 'inherit'] });
}
