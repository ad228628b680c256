import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { Api, ApiError, Connection, type Json, type Resource } from './api.ts';
import { type NodeOptions, PretendedNode } from './pretended-node.ts';

/** The server of a test file, started before its first test and stopped after its last. Needs no privileges. */
export class ControlPlane {
  readonly folder = mkdtempSync(join(tmpdir(), 'skiff-conformance-'));
  #server: ServerProcess | undefined;
  #connection: Connection | undefined;
  readonly #nodes: PretendedNode[] = [];
  #namespaces = 0;

  get kubeconfig(): string {
    return this.#server!.kubeconfig;
  }

  /** The administrator's. */
  get api(): Api {
    return new Api(this.#connection!);
  }

  async start(): Promise<void> {
    this.#server = new ServerProcess(this.folder, { port: await freePort() });
    await this.#server.start();
    this.#connection = new Connection(this.#server.port, this.#server.credentials);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    this.#connection?.close();
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A node that takes pods and reports on them. */
  async addNode(name: string, options: NodeOptions = {}): Promise<PretendedNode> {
    const node = new PretendedNode(this.api, name, options);
    this.#nodes.push(node);
    await node.start();
    return node;
  }

  /** A new namespace in which pods can be made. */
  async newNamespace(): Promise<string> {
    const name = `conformance-${++this.#namespaces}`;
    await this.api.resource('v1/namespaces').create({ metadata: { name } });
    const accounts = this.api.resource('v1/serviceaccounts', name);
    await eventually(`the default service account of ${name}`, () => exists(accounts, 'default'), 30_000);
    return name;
  }

  /** A resource of a new namespace. */
  async inNewNamespace(resource: string): Promise<Resource> {
    return this.api.resource(resource, await this.newNamespace());
  }
}

/** For the top of a test file. `prepare` runs once, before its first test. */
export function controlPlane(prepare?: (plane: ControlPlane) => Promise<void>): ControlPlane {
  const plane = new ControlPlane();
  before(async () => {
    await plane.start();
    await prepare?.(plane);
  });
  after(() => plane.stop());
  return plane;
}

export async function exists(resource: Resource, name: string): Promise<boolean> {
  try {
    await resource.get(name);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/** Waits until an object whose deletion others may delay is gone. */
export async function gone(resource: Resource, name: string): Promise<void> {
  await eventually(`${resource.name} ${name} is gone`, async () => !(await exists(resource, name)), 30_000);
}

/** Checks that a call is refused with this status and reason. Returns the Status. */
export async function refused(call: Promise<unknown>, status: number, reason: string): Promise<Json> {
  const error = await call.then(
    (answer) => assert.fail(`accepted: ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  if (!(error instanceof ApiError)) throw error;
  assert.deepEqual([error.status, error.answer.reason], [status, reason], error.message);
  return error.answer;
}

/** resourceVersions are decimal numbers that grow. */
export function assertVersion(object: Json): void {
  assert.match(object.metadata.resourceVersion, /^[1-9]\d*$/);
}

export function assertNewer(object: Json, than: Json): void {
  for (const each of [object, than]) assertVersion(each);
  const [newer, older] = [object, than].map((each) => BigInt(each.metadata.resourceVersion));
  assert.ok(newer! > older!, `${newer} is newer than ${older}`);
}
