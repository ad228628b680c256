import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPrograms } from './bundled-programs.ts';
import { readSettings } from './config.ts';

/**
 * Becomes the bundled kubectl, with the server's kubeconfig unless the person has one of their own (KUBECONFIG or ~/.kube/config). Does not
 * return: the process is replaced.
 */
export async function runKubectl(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  const settings = readSettings('server', [], environment);
  const folder = await bundledPrograms('kubectl', programsFolder(String(settings['data-dir'])));
  const program = join(folder, 'kubectl');
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) env[name] = value;
  const kubeconfig = String(settings['write-kubeconfig']);
  const ownConfig = env['HOME'] ? join(env['HOME'], '.kube/config') : undefined;
  if (!env['KUBECONFIG'] && existsSync(kubeconfig) && !(ownConfig && existsSync(ownConfig))) env['KUBECONFIG'] = kubeconfig;
  process.execve!(program, ['kubectl', ...argv], env);
  throw new Error(`${program} could not be started`);
}

/** Below the data dir where that can be written; else, for people without root, in a folder of their own. */
function programsFolder(dataDir: string): string {
  const shared = join(dataDir, 'programs');
  if (process.getuid?.() === 0 || existsSync(shared)) return shared;
  return join(tmpdir(), `skiff-programs-${process.getuid?.()}`);
}
