import { runtimeContract } from '../../contract/runtime-contract.ts';
import { busyboxImage, ContainerdFixture } from '../../support/containerd-fixture.ts';
import { isolated } from '../../support/isolated.ts';

isolated(import.meta.url, (place) => {
  for (const version of ['1.7', '1.6'] as const) {
    for (const sharedShim of [false, true]) {
      runtimeContract(`containerd ${version}, ${sharedShim ? 'one shim for all' : 'a shim per pod'}`, async () => {
        const fixture = new ContainerdFixture({ ...place, version, sharedShim });
        await fixture.start();
        return {
          runtime: fixture.runtime,
          image: busyboxImage,
          sandboxConfig: (changes) => fixture.sandboxConfig(changes),
          containerConfig: (command, changes) => fixture.containerConfig(command, changes),
          close: () => fixture.stop(),
        };
      });
    }
  }
});
