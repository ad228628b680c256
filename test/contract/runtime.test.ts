import { copy, type FakeProcess } from '../../src/runtime/fake-program.ts';
import { FakeRuntime } from '../../src/runtime/fake-runtime.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';
import { runtimeContract } from './runtime-contract.ts';

const image = 'skiff.dev/test/busybox:1';

runtimeContract('FakeRuntime', async () => {
  const runtime = new FakeRuntime({ images: [image], programs: { sh } });
  await runtime.start();
  let pods = 0;
  return {
    runtime,
    image,
    sandboxConfig: (changes = {}) => sandboxConfigOf(`uid-${pods++}`, changes),
    containerConfig: (command, changes = {}) => containerConfigOf(image, command, changes),
    close: () => runtime.stop(),
  };
});

/** As much of a shell as the suite's scripts need. */
async function sh(process: FakeProcess): Promise<number> {
  for (const statement of (process.command[2] ?? '').split(';')) {
    const [word, argument = '', redirect] = statement.trim().split(' ');
    if (word === 'exit') return Number(argument);
    if (word === 'echo') (redirect === '>&2' ? process.stderr : process.stdout).write(`${argument}\n`);
    else if (word === 'cat') await copy(process.stdin, process.stdout);
  }
  return 0;
}
