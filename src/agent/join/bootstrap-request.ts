import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

const timeoutMs = 15_000;
/** A CA document is a few kilobytes. */
const maxBytes = 1024 * 1024;

export interface BootstrapAnswer {
  readonly status: number;
  readonly body: string;
  /** The server's clock, when it says. */
  readonly dateMs: number | undefined;
}

/** A GET before the server can be trusted: its certificate is not verified, so nothing secret may be sent and all has to be checked. */
export function getUnverified(url: string): Promise<BootstrapAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      // Without `ca` Node.js would load some 150 authorities and keep them.
      { agent: false, rejectUnauthorized: false, ca: [], timeout: timeoutMs },
      (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) request.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const dateMs = Date.parse(response.headers.date ?? '');
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
          });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.on('error', reject);
    request.end();
  });
}
