import * as sea from 'node:sea';

/** The command that starts this program again: the executable itself, or Node.js with the script when running from source. */
export function selfCommand(): [program: string, ...args: string[]] {
  return sea.isSea() ? [process.execPath] : [process.execPath, ...process.execArgv, process.argv[1]!];
}
