import type { FieldError, FieldErrorReason } from '../../../api/field-error.ts';
import type { ServicePort, ServiceSpec } from '../../../api/generated/types.ts';
import { type IpRange, parseIpRange } from '../../../api/ip-range.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { IPAddress, managedBy } from '../../../api/kinds/networking/ip-address.ts';
import { isReady, ServiceCIDR } from '../../../api/kinds/networking/service-cidr.ts';
import { keyOf } from '../../../api/meta.ts';
import { invalid, StatusError } from '../../../api/status-error.ts';
import type { Effects, Reservation } from '../../registry/effects.ts';
import type { Reader } from '../../registry/reader.ts';
import { IpAllocator } from './ip-allocator.ts';
import { PortAllocator, type PortRange } from './port-allocator.ts';
import { settleFamilies } from './service-families.ts';

/**
 * Cluster addresses and node ports of Services. What is taken is derived from the Services there are, so that nothing can get out of step;
 * IPAddress objects show it, and those that others made hold their address back (kubernetes: pkg/registry/core/service/storage/alloc.go).
 */
export class ServiceAllocator implements Effects<Service> {
  readonly #ranges: readonly IpAllocator[];
  readonly #ports: PortAllocator;

  /** `ranges`: one range, or two of different families; the first is the default. */
  constructor(deps: { reader: Reader; ranges: readonly IpRange[]; nodePorts: PortRange; random?: () => number }) {
    this.#ranges = deps.ranges.map((range) => new IpAllocator(range, deps.random));
    this.#ports = new PortAllocator(deps.nodePorts, deps.random);
    deps.reader.onChange(Service, (next, previous) => this.#follow(next, previous));
    deps.reader.onChange(ServiceCIDR, (next, previous) => this.#followRange(next, previous));
    deps.reader.onChange(IPAddress, (next, previous) => this.#followAddress(next, previous));
  }

  /** `namespace/name` of the Service an address belongs to, or will when its write succeeds. */
  holderOf(ip: string): string | undefined {
    return this.#ranges.map((range) => range.holderOf(ip)).find((holder) => holder !== undefined);
  }

  beforeCreate(service: Service): Reservation | undefined {
    return this.#allocate(service, undefined);
  }

  beforeUpdate(next: Service, previous: Service): Reservation | undefined {
    return this.#allocate(next, previous);
  }

  #follow(next: Service | undefined, previous: Service | undefined): void {
    if (previous) {
      const owner = keyOf(previous);
      for (const ip of ipsOf(previous.spec)) for (const range of this.#ranges) range.release(ip, owner);
      for (const port of portsOf(previous.spec)) this.#ports.release(port, owner);
    }
    if (!next) return;
    const owner = keyOf(next);
    for (const ip of ipsOf(next.spec)) for (const range of this.#ranges) range.adopt(ip, owner);
    for (const port of portsOf(next.spec)) this.#ports.adopt(port, owner);
  }

  /** A ServiceCIDR gives addresses from when it is ready until it is deleted. */
  #followRange(next: ServiceCIDR | undefined, previous: ServiceCIDR | undefined): void {
    const name = (next ?? previous)!.metadata.name;
    const usable = next && isReady(next) && next.metadata.deletionTimestamp === undefined ? (next.spec.cidrs ?? []) : [];
    const added = usable.map(parseIpRange);
    for (const range of this.#ranges)
      range.setAdded(
        name,
        added.find((r) => r.family === range.family && r.text !== range.range.text),
      );
  }

  #followAddress(next: IPAddress | undefined, previous: IPAddress | undefined): void {
    const { name } = (next ?? previous)!.metadata;
    const isForeign = next !== undefined && next.metadata.labels?.[managedBy.label] !== managedBy.allocator;
    for (const range of this.#ranges) range.setForeign(name, isForeign);
  }

  #allocate(service: Service, previous: Service | undefined): Reservation | undefined {
    const families = this.#ranges.map((range) => range.family);
    refuse(service, settleFamilies(service.spec, previous?.spec, families));
    const taken = new Taken(keyOf(service), previous);
    try {
      this.#allocateIps(service, taken);
      this.#allocatePorts(service, taken);
    } catch (error) {
      taken.undo();
      throw error;
    }
    return taken.isEmpty ? undefined : { release: () => taken.undo() };
  }

  #allocateIps(service: Service, taken: Taken): void {
    const { spec } = service;
    if (spec.type === 'ExternalName' || spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None') return;
    if (taken.wasHeadless) return;
    const wanted = spec.clusterIPs ?? [];
    const ips = (spec.ipFamilies ?? []).map((family, i) => {
      const ip = wanted[i];
      // Another one than there was is not taken: validation refuses it.
      if (ip && taken.hadIpAt(i)) return ip;
      const range = this.#ranges.find((r) => r.family === family)!;
      if (ip && (taken.hadIp(ip) || range.holderOf(ip) === taken.owner)) return ip;
      if (ip) {
        const problem = range.take(ip, taken.owner);
        if (problem) {
          const message = `Invalid value: ${JSON.stringify(wanted)}: failed to allocate IP ${ip}: ${problem}`;
          refuse(service, [fieldError('FieldValueInvalid', 'spec.clusterIPs', message)]);
        }
      }
      const given = ip || range.takeAny(taken.owner);
      if (!given) throw rangeFull(service, range);
      taken.add(() => range.release(given, taken.owner));
      return given;
    });
    spec.clusterIPs = ips;
    if (ips[0] !== undefined) spec.clusterIP = ips[0];
  }

  #allocatePorts(service: Service, taken: Taken): void {
    const { spec } = service;
    const needed = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const byNumber = new Map<number, number>();
    for (const [i, port] of (spec.ports ?? []).entries()) {
      if (!port.nodePort && !needed) continue;
      if (spec.type === 'ClusterIP' || spec.type === 'ExternalName') continue;
      this.#settlePort(service, port, { field: `spec.ports[${i}].nodePort`, byNumber, taken });
    }
    if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local') this.#settleHealthPort(service, taken);
  }

  /** A port with the same number for another protocol shares the node port. */
  #settlePort(
    service: Service,
    port: ServicePort,
    options: { field: string; byNumber: Map<number, number>; taken: Taken },
  ): void {
    const { field, byNumber, taken } = options;
    if (port.nodePort) this.#takePort(service, port.nodePort, field, taken);
    else port.nodePort = byNumber.get(port.port) ?? this.#takeAnyPort(taken);
    byNumber.set(port.port, port.nodePort);
  }

  #settleHealthPort(service: Service, taken: Taken): void {
    const { spec } = service;
    // Less than none is refused by validation.
    if ((spec.healthCheckNodePort ?? 0) < 0) return;
    if (spec.healthCheckNodePort) this.#takePort(service, spec.healthCheckNodePort, 'spec.healthCheckNodePort', taken);
    else spec.healthCheckNodePort = this.#takeAnyPort(taken);
  }

  #takePort(service: Service, port: number, field: string, taken: Taken): void {
    if (taken.hadPort(port) || this.#ports.isHeldBy(port, taken.owner)) return;
    const problem = this.#ports.take(port, taken.owner);
    if (problem) refuse(service, [fieldError('FieldValueInvalid', field, `Invalid value: ${port}: ${problem}`)]);
    taken.add(() => this.#ports.release(port, taken.owner));
  }

  #takeAnyPort(taken: Taken): number {
    const port = this.#ports.takeAny(taken.owner);
    if (port === undefined) {
      const { first, last } = this.#ports.range;
      throw new StatusError({
        code: 500,
        reason: 'InternalError',
        message: `Internal error occurred: failed to allocate a nodePort: all ports of ${first}-${last} are in use; delete a Service or widen --service-node-port-range`,
      });
    }
    taken.add(() => this.#ports.release(port, taken.owner));
    return port;
  }
}

/** What one write has taken so far, to give it back when it fails. What the service had before is not taken again. */
class Taken {
  readonly owner: string;
  readonly #previous: Service | undefined;
  readonly #undo: (() => void)[] = [];

  constructor(owner: string, previous: Service | undefined) {
    this.owner = owner;
    this.#previous = previous;
  }

  get isEmpty(): boolean {
    return this.#undo.length === 0;
  }

  hadIp(ip: string): boolean {
    return this.#previous !== undefined && ipsOf(this.#previous.spec).includes(ip);
  }

  hadIpAt(index: number): boolean {
    return this.#previous !== undefined && ipsOf(this.#previous.spec)[index] !== undefined;
  }

  /** Then it stays without addresses. */
  get wasHeadless(): boolean {
    return this.#previous?.spec.clusterIPs?.[0] === 'None';
  }

  hadPort(port: number): boolean {
    return this.#previous !== undefined && portsOf(this.#previous.spec).includes(port);
  }

  add(undo: () => void): void {
    this.#undo.push(undo);
  }

  undo(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}

/** The cluster addresses of a Service; none when it is headless. */
export function ipsOf(spec: ServiceSpec | undefined): readonly string[] {
  return (spec?.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '');
}

function portsOf(spec: ServiceSpec | undefined): number[] {
  const ports = (spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  return [...ports, spec?.healthCheckNodePort ?? 0].filter((port) => port > 0);
}

function fieldError(reason: FieldErrorReason, field: string, message: string): FieldError {
  return { reason, field, message };
}

function refuse(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(Service, service.metadata.name, errors);
}

function rangeFull(service: Service, range: IpAllocator): StatusError {
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: failed to allocate a serviceIP for ${service.metadata.name}: range is full: all addresses of ${range.range.text} are in use; delete a Service or use a larger --service-cidr`,
  });
}
