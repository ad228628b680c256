import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Endpoints } from '../api/kinds/core/endpoints.ts';
import { systemClock } from '../lib/clock.ts';
import { generateBootstrapToken, parseJoinToken } from '../pki/join-token.ts';
import { createBootstrapToken, deleteBootstrapToken, listBootstrapTokens } from '../server/server.ts';
import { openKubeconfig } from './admin-client.ts';
import { readSettings, type Settings } from './config.ts';
import { durationMs } from './durations.ts';
import type { Environment } from './environment.ts';
import { UsageError } from './usage-error.ts';

const usage = 'skiff token create [--ttl 24h] [--description TEXT] | list | delete TOKEN | generate | print-join';

/** `skiff token …`: the secrets with which machines join. */
export async function runToken(argv: readonly string[], environment: Environment): Promise<void> {
  const [action, ...rest] = argv;
  const { own, others } = split(rest, ['ttl', 'description']);
  const words = others.filter((word, i) => !word.startsWith('-') && !others[i - 1]?.startsWith('--'));
  const settings = readSettings(
    'server',
    others.filter((word) => !words.includes(word)),
    environment,
  );
  switch (action) {
    case 'generate': {
      const { id, secret } = generateBootstrapToken();
      return console.log(`${id}.${secret}`);
    }
    case 'print-join':
      return printJoin(settings);
    case 'create':
    case 'list':
    case 'delete':
      return withServer(settings, action, own, words);
    default:
      throw new UsageError(`usage: ${usage}`);
  }
}

async function withServer(
  settings: Settings,
  action: 'create' | 'list' | 'delete',
  own: Readonly<Record<string, string>>,
  words: readonly string[],
): Promise<void> {
  const client = openKubeconfig(String(settings['write-kubeconfig']));
  try {
    if (action === 'create') {
      const ttlMs = own['ttl'] === undefined ? undefined : durationMs(own['ttl']);
      const created = await createBootstrapToken(
        { client, clock: systemClock },
        {
          caHash: caHash(settings),
          ...(ttlMs === undefined ? {} : { ttlMs }),
          ...(own['description'] ? { description: own['description'] } : {}),
        },
      );
      console.log(created);
    } else if (action === 'delete') {
      if (!words[0]) throw new UsageError('which token? skiff token delete TOKEN (skiff token list shows them)');
      await deleteBootstrapToken(client, words[0]);
      console.log(`token ${words[0]} deleted`);
    } else {
      const rows = (await listBootstrapTokens(client)).map((t) => [
        t.id,
        t.expiresAtMs === undefined ? 'never' : new Date(t.expiresAtMs).toISOString(),
        t.description,
      ]);
      for (const row of [['TOKEN', 'EXPIRES', 'DESCRIPTION'], ...rows])
        console.log(`${row[0]!.padEnd(10)}${row[1]!.padEnd(28)}${row[2]}`);
    }
  } finally {
    client.close();
  }
}

/** The command a person types on the next machine. */
async function printJoin(settings: Settings): Promise<void> {
  const token = readNodeToken(settings);
  const url = await serverUrl(settings);
  console.log('Run this on the machine that is to join:\n');
  console.log(`  sudo skiff agent --server ${url} --token ${token}\n`);
  console.log('or, to install Skiff there as a service:\n');
  console.log(`  sudo SKIFF_URL=${url} SKIFF_TOKEN=${token} sh install.sh`);
}

/** Where the server says that others reach it. */
async function serverUrl(settings: Settings): Promise<string> {
  const client = openKubeconfig(String(settings['write-kubeconfig']));
  try {
    const { subsets } = await client.get(Endpoints, { namespace: 'default', name: 'kubernetes' });
    const address = subsets?.[0]?.addresses?.[0]?.ip;
    const port = subsets?.[0]?.ports?.[0]?.port;
    if (!address || !port) throw new Error('the server has not published its address yet: try again in a moment');
    return `https://${address.includes(':') ? `[${address}]` : address}:${port}`;
  } finally {
    client.close();
  }
}

function caHash(settings: Settings): string {
  const hash = parseJoinToken(readNodeToken(settings)).caHash;
  if (!hash) throw new Error('the node token does not name the CA: start the server once');
  return hash;
}

function readNodeToken(settings: Settings): string {
  const file = join(String(settings['data-dir']), 'server/node-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new UsageError(`${file} cannot be read (${(cause as Error).message}): run this as root on the machine of the server`);
  }
}

/** Takes `--name value` of these names out of the arguments. */
function split(argv: readonly string[], names: readonly string[]): { own: Record<string, string>; others: string[] } {
  const own: Record<string, string> = {};
  const others: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const match = /^--([\w-]+)(?:=(.*))?$/.exec(argv[i]!);
    if (match && names.includes(match[1]!)) own[match[1]!] = match[2] ?? argv[++i] ?? '';
    else others.push(argv[i]!);
  }
  return { own, others };
}
