import { certificateHash, parseCertificate } from '../../pki/certificate.ts';
import type { JoinToken } from '../../pki/join-token.ts';
import { type BootstrapAnswer, getUnverified } from './bootstrap-request.ts';
import { JoinError } from './join-error.ts';

/** A clock further off than this makes certificates invalid, or soon will. */
const maxClockErrorMs = 5 * 60_000;

/**
 * Fetches the cluster's CA and checks it against the hash in the join token, before anything secret is sent. A token without a hash trusts
 * the server it finds.
 */
export async function fetchTrustedCa(server: string, token: JoinToken, nowMs: number): Promise<string> {
  let answer: BootstrapAnswer;
  try {
    answer = await getUnverified(`${server}/cacerts`);
  } catch (cause) {
    throw new JoinError(`the server ${server} cannot be reached`, {
      hint: 'is the address right, is the server running, and does a firewall let port 6443 through? This machine keeps trying.',
      cause,
    });
  }
  if (answer.status !== 200)
    throw new JoinError(`the server ${server} answered ${answer.status} when asked for its certificate`, {
      hint: 'is this the address of a Skiff server? The port is usually 6443.',
    });
  verifyHash(server, token, answer.body);
  verifyClock(answer, nowMs);
  return answer.body;
}

function verifyHash(server: string, token: JoinToken, pem: string): void {
  let hash: string;
  try {
    hash = certificateHash(pem);
  } catch (cause) {
    throw new JoinError(`what ${server} sent is not a certificate`, { hint: 'is this the address of a Skiff server?', cause });
  }
  if (token.caHash === undefined || token.caHash === hash) return;
  throw new JoinError(`the certificate of ${server} is not the one the join token was made for`, {
    hint:
      'the token belongs to another cluster, the server was installed anew, or someone is in between. ' +
      'Copy the token again from the server: /var/lib/skiff/server/node-token. Nothing secret has been sent.',
  });
}

function verifyClock({ body, dateMs }: BootstrapAnswer, nowMs: number): void {
  const { notBeforeMs } = parseCertificate(body);
  const off = dateMs === undefined ? 0 : dateMs - nowMs;
  if (nowMs >= notBeforeMs && Math.abs(off) <= maxClockErrorMs) return;
  const text = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  throw new JoinError(
    `the clock of this machine is wrong: it shows ${text(nowMs)} UTC, the server ${dateMs === undefined ? `made its certificate at ${text(notBeforeMs)}` : `shows ${text(dateMs)}`} UTC`,
    {
      hint: 'set the clock: "timedatectl set-ntp true", or connect the network so that the time can be fetched. This machine keeps trying.',
    },
  );
}
