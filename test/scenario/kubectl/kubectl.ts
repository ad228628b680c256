import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { fetchTestBinaries } from '../../support/fetch-test-binaries.ts';
import type { Machine } from '../../support/machines.ts';

/** One kubectl, working in a namespace of its own. */
export interface Kubectl {
  readonly namespace: string;
  /** Runs `kubectl -n <namespace> args…`; rejects with its standard error when it fails. */
  run(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<string>;
  /** The command line of `args` for a shell. */
  commandLine(args: readonly string[]): string;
}

/** A command and what it must print; `fails` means it must end with an error that says so. */
export interface Row {
  /** Words separated by one space, or the words themselves. */
  readonly args: string | readonly string[];
  readonly input?: string;
  readonly prints?: RegExp;
  readonly fails?: RegExp;
}

/** The kubectl that ships, and the oldest in wide use: their programs by name. */
export async function kubectlPrograms(machine: Machine): Promise<Record<'bundled' | 'old', string>> {
  // The first use unpacks it.
  await machine.kubectl('version', '--client');
  const [bundled] = globSync(join(machine.dataDir, 'programs/*/kubectl'));
  assert.ok(bundled, 'the bundled kubectl is unpacked');
  return { bundled, old: resolve(fetchTestBinaries(), 'kubectl-1.32') };
}

export function kubectlIn(machine: Machine, program: string, namespace: string): Kubectl {
  const environment = [`KUBECONFIG=${machine.kubeconfig}`, `HOME=${machine.folder}`, `TMPDIR=${machine.folder}`];
  const prefix = [...environment, program, '-n', namespace];
  return {
    namespace,
    run: (args, options = {}) => machine.run('env', [...prefix, ...args], options),
    commandLine: (args) => ['env', ...prefix, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' '),
  };
}

/** One test per row, in order. */
export function testRows(kubectl: () => Kubectl, rows: readonly Row[]): void {
  for (const { args, input, prints, fails } of rows) {
    const words = typeof args === 'string' ? args.split(' ') : args;
    it(words.join(' ').replaceAll('\n', ' ').slice(0, 100), async () => {
      const options = input === undefined ? {} : { input };
      if (fails)
        return assert.rejects(kubectl().run(words, options), (error: Error) => assert.match(error.message, fails) ?? true);
      const printed = await kubectl().run(words, options);
      if (prints) assert.match(printed, prints);
    });
  }
}
