import { join } from 'node:path';
import { formatJoinToken, generateSecret, parseJoinToken } from './join-token.ts';
import { readOptionalFile, writeSecretFile } from './secret-file.ts';

/** The two static join tokens of a cluster: one lets servers in (and nodes), the other nodes only. */
export interface StaticTokens {
  readonly server: string;
  readonly agent: string;
}

/** The ids under which the static secrets are sent. */
export const serverTokenId = 'server';
export const agentTokenId = 'agent';

/** Shorter secrets can be guessed over the network. */
const minSecretLength = 12;

/**
 * Reads the secrets in `<dir>/token` and `<dir>/agent-token`, makes those that are missing, and writes the files (0600) again when they
 * name another CA. `<dir>/node-token` is the one to copy to new nodes. Given secrets (settings of the operator) replace those on disk.
 */
export function ensureStaticTokens(options: {
  dir: string;
  caHash: string;
  serverSecret?: string;
  agentSecret?: string;
}): StaticTokens {
  const { dir, caHash } = options;
  const server = keepToken({ path: join(dir, 'token'), id: serverTokenId, caHash, given: options.serverSecret });
  const agent = keepToken({ path: join(dir, 'agent-token'), id: agentTokenId, caHash, given: options.agentSecret });
  writeIfOther(join(dir, 'node-token'), `${formatJoinToken({ caHash, id: agentTokenId, secret: agent })}\n`);
  return { server, agent };
}

function keepToken(options: { path: string; id: string; caHash: string; given: string | undefined }): string {
  const { path, id, caHash, given } = options;
  const secret = given === undefined ? (storedSecret(path) ?? generateSecret()) : secretOf(given);
  writeIfOther(path, `${formatJoinToken({ caHash, id, secret })}\n`);
  return secret;
}

/** An operator may give the bare secret or a whole token. */
function secretOf(given: string): string {
  const secret = given.startsWith('SKIFF10') ? parseJoinToken(given).secret : given.trim();
  if (secret.length < minSecretLength || /\s/.test(secret))
    throw new Error(
      `the join token is too weak: use at least ${minSecretLength} characters without spaces, or none to have one made`,
    );
  return secret;
}

function storedSecret(path: string): string | undefined {
  const text = readOptionalFile(path);
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return parseJoinToken(text).secret;
  } catch (cause) {
    throw new Error(`the join token in ${path} is damaged; delete the file to have a new one made`, { cause });
  }
}

function writeIfOther(path: string, text: string): void {
  if (readOptionalFile(path) !== text) writeSecretFile(path, text);
}
