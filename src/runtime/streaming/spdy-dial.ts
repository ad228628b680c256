import { request } from 'node:http';
import { SpdyConnection } from '../../lib/spdy/connection.ts';

const dialTimeoutMs = 30_000;
const maxErrorBytes = 4096;

/** Upgrades a request to containerd's streaming server (plain HTTP on loopback) to SPDY/3.1. */
export function dialSpdy(url: string, protocol: string): Promise<SpdyConnection> {
  return new Promise((resolve, reject) => {
    const upgrade = request(url, {
      method: 'POST',
      agent: false,
      timeout: dialTimeoutMs,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol },
    });
    upgrade.on('upgrade', (_response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve(new SpdyConnection({ socket, head, role: 'client' }));
    });
    upgrade.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < maxErrorBytes) text += chunk;
      });
      response.on('end', () =>
        reject(new Error(`containerd's streaming server answered ${response.statusCode}: ${text.trim()}`)),
      );
    });
    upgrade.on('timeout', () => upgrade.destroy(new Error(`containerd's streaming server does not answer`)));
    upgrade.on('error', reject);
    upgrade.end();
  });
}
