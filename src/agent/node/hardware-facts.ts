import { readText } from '../cgroup/cgroup-files.ts';

/** Labels and annotations that tell people what machine a node is. */
export interface HardwareFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Looks at the hardware once. On a Raspberry Pi the device tree tells all; elsewhere systeminformation is asked, which starts processes
 * and is loaded only for this.
 */
export async function readHardwareFacts(): Promise<HardwareFacts> {
  const board = readText('/proc/device-tree/model')?.replaceAll('\0', '').trim();
  const model = board || (await askedModel());
  if (!model) return { labels: {}, annotations: {} };
  const pi = /^Raspberry Pi (\S+(?: Model \S+| Zero \S*)?)/.exec(model);
  return {
    labels: pi ? { 'skiff.dev/hardware': labelValue(`raspberry-pi-${pi[1]}`) } : {},
    annotations: { 'skiff.dev/hardware-model': model },
  };
}

async function askedModel(): Promise<string> {
  try {
    const { system } = await import('systeminformation');
    const { manufacturer, model } = await system();
    return [manufacturer, model].filter((word) => word && word !== '-').join(' ');
  } catch {
    // Nice to know, no more.
    return '';
  }
}

function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 63);
}
