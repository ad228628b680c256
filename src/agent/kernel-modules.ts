import { execFile } from 'node:child_process';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';

/** What containers, the bridge, the tunnel and the service rules need of the kernel, where it is not built in. */
const modules = [
  'overlay',
  'br_netfilter',
  'vxlan',
  'nf_conntrack',
  'nf_tables',
  'nft_chain_nat',
  'nft_ct',
  'nft_fib_ipv4',
  'nft_masq',
  'nft_numgen',
  'nft_reject_ipv4',
];
const timeoutMs = 20_000;

/** Loads the kernel modules of a node. A kernel that has them built in says so by failing; what is really missing shows where it is used. */
export function createKernelModules(log: Logger): Component {
  return {
    name: 'kernel-modules',
    start: () =>
      new Promise((resolve) => {
        execFile('modprobe', ['--all', '--quiet', ...modules], { timeout: timeoutMs }, (error) => {
          if (error) log.debug('not every kernel module could be loaded; they may be built in', { error });
          resolve();
        });
      }),
    stop: () => Promise.resolve(),
  };
}
