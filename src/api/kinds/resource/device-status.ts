import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkGiven, checkText } from '../../validation/checks.ts';
import { checkConditions } from '../../validation/conditions.ts';
import { duplicate, invalid, required, tooMany } from '../../validation/errors.ts';
import { parseCidr } from '../../validation/ip.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../core/volume-source-validation.ts';

const maxConditions = 8;

/** What drivers say of the devices that a claim was given. kubernetes: pkg/apis/resource/validation/validation.go (validateDeviceStatus). */
export function checkDeviceStatuses(errors: FieldError[], { devices, allocation }: t.ResourceClaimStatus): void {
  const given = new Set(allocation?.devices?.results?.map(idOf));
  const seen = new Set<string>();
  devices?.forEach((device, i) => {
    const at = `status.devices[${i}]`;
    const id = idOf(device);
    checkCsiDriverName(errors, `${at}.driver`, device.driver);
    checkPoolName(errors, `${at}.pool`, device.pool);
    checkGiven(errors, `${at}.device`, device.device ?? '', dns1123Label);
    const value = { driver: device.driver, pool: device.pool, device: device.device, shareID: device.shareID };
    if (!given.has(id)) errors.push(invalid(at, value, 'must be an allocated device in the claim'));
    if (seen.has(id)) errors.push(duplicate(at, value));
    seen.add(id);
    const { conditions = [], networkData } = device;
    if (conditions.length > maxConditions) errors.push(tooMany(`${at}.conditions`, conditions.length, maxConditions));
    checkConditions(errors, `${at}.conditions`, conditions);
    if (networkData?.ips) checkAddresses(errors, `${at}.networkData.ips`, networkData.ips);
  });
}

type Device = Pick<t.AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>;

const idOf = ({ driver, pool, device, shareID }: Device): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join('/');

/** Parts between slashes are names of their own. */
export function checkPoolName(errors: FieldError[], field: string, name: string | undefined): void {
  if (!name) errors.push(required(field));
  else for (const part of name.split('/')) checkText(errors, field, part, dns1123Subdomain);
}

function checkAddresses(errors: FieldError[], field: string, addresses: readonly string[]): void {
  const seen = new Set<string>();
  addresses.forEach((address, i) => {
    if (!parseCidr(address)) {
      errors.push(
        invalid(`${field}[${i}]`, address, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'),
      );
    }
    if (seen.has(address)) errors.push(duplicate(`${field}[${i}]`, address));
    seen.add(address);
  });
}
