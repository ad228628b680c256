import { readFileSync } from 'node:fs';
import { createHttpsClient, type HttpsClient } from '../client/https-client.ts';
import { readKubeconfig } from '../client/kubeconfig.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { UsageError } from './usage-error.ts';

/** A client for the server that wrote this kubeconfig. Throws UsageError with what to do when the file cannot be read. */
export function openKubeconfig(file: string): HttpsClient {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES') throw new UsageError(`${file} can only be read by root: try again with sudo`);
    throw new UsageError(`there is no ${file}: is this the machine of the server, and does it run? (skiff status)`);
  }
  const { server, ca, credentials } = readKubeconfig(text, { readFile: (path) => readFileSync(path, 'utf8') });
  return createHttpsClient({ server, ...(ca === undefined ? {} : { ca }), credentials, clock: systemClock, log: silentLogger });
}
