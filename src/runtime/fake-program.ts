import type { Readable, Writable } from 'node:stream';

/** A process of the fake runtime. */
export interface FakeProcess {
  readonly command: readonly string[];
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Resolves when it is to end, with the exit code the signal gives. */
  readonly killed: Promise<number>;
}

/** What a command does; resolves with its exit code. */
export type FakeProgram = (process: FakeProcess) => Promise<number> | number;

/** Programs every fake container has, by the first word of the command. */
export const fakePrograms: Readonly<Record<string, FakeProgram>> = {
  sleep: (process) => process.killed,
  true: () => 0,
  false: () => 1,
  exit: ({ command }) => Number(command[1] ?? 0),
  echo: ({ command, stdout }) => {
    stdout.write(`${command.slice(1).join(' ')}\n`);
    return 0;
  },
  cat: (process) => Promise.race([copy(process.stdin, process.stdout), process.killed]),
};

/** Copies until the input ends. */
export async function copy(from: Readable, to: Writable): Promise<number> {
  for await (const chunk of from) to.write(chunk);
  return 0;
}
