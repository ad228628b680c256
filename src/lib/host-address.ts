import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The IPv4 address of the interface with the default route; without one, the first that is not loopback. Undefined when there is none. */
export function defaultAddress(): string | undefined {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).filter((a) => a.family === 'IPv4' && !a.internal).map((a) => ({ name, address: a.address })),
  );
  const uplink = defaultRouteInterface();
  return (addresses.find((a) => a.name === uplink) ?? addresses[0])?.address;
}

/** `/proc/net/route`: the line whose destination and mask are 0. */
function defaultRouteInterface(): string | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/net/route', 'utf8');
  } catch {
    return undefined;
  }
  const line = text
    .split('\n')
    .map((l) => l.split('\t'))
    .find((columns) => columns[1] === '00000000' && columns[7] === '00000000');
  return line?.[0];
}
