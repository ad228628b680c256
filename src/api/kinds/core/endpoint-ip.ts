import type { FieldError } from '../../field-error.ts';
import { invalid } from '../../validation/errors.ts';
import { cidrContains, type ParsedCidr, parseCidr, parseIp } from '../../validation/ip.ts';

const network = (text: string): ParsedCidr => parseCidr(text)!;

const special: readonly (readonly [readonly ParsedCidr[], string])[] = [
  [[network('127.0.0.0/8'), network('::1/128')], 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [[network('169.254.0.0/16'), network('fe80::/10')], 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [[network('224.0.0.0/24'), network('ff02::/16')], 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
];

/** An address that traffic can be sent to: not unspecified, loopback or link-local. kubernetes: ValidateEndpointIP. */
export function checkEndpointIp(errors: FieldError[], field: string, text: string): void {
  const ip = parseIp(text);
  if (!ip) {
    errors.push(invalid(field, text, 'must be a valid IP address'));
    return;
  }
  if (ip.value === 0n) errors.push(invalid(field, text, `may not be unspecified (${text})`));
  const host: ParsedCidr = { ...ip, prefix: ip.family === 'IPv4' ? 32 : 128 };
  for (const [ranges, detail] of special) {
    if (ranges.some((range) => cidrContains(range, host))) errors.push(invalid(field, text, detail));
  }
}
