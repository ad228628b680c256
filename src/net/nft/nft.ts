import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Applies nftables scripts, each atomically: all of it or nothing. */
export interface Nft {
  apply(script: string): Promise<void>;
}

/** An nft run that takes longer than this is given up. */
const applyTimeoutMs = 30_000;

/**
 * Runs `nft -f FILE`. The script goes through a file because nft opens its standard input again by name, which fails for the socket that
 * Node.js gives to child processes. `folder` should be on a tmpfs.
 */
export function createNft(folder: string, program = 'nft'): Nft {
  return {
    async apply(script) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${randomUUID()}.nft`);
      await writeFile(file, script, { mode: 0o600 });
      try {
        await run(program, ['-f', file]);
      } finally {
        await unlink(file);
      }
    },
  };
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: applyTimeoutMs }, (error, _stdout, stderr) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        reject(
          new Error('the program nft is missing: install the package nftables (apt-get install nftables)', { cause: error }),
        );
      } else reject(new Error(`nft refused the rules: ${stderr.trim().split('\n')[0] ?? error.message}`, { cause: error }));
    });
  });
}
