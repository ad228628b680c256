import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkNonNegative, checkPort, checkPortOrName } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { httpHeaderName } from '../../validation/names.ts';

const schemes = ['HTTP', 'HTTPS'];

/** The three probes of a container. */
export function checkProbes(errors: FieldError[], at: string, container: t.Container): void {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) {
    checkProbe(errors, `${at}.livenessProbe`, livenessProbe);
    checkSuccessIsOne(errors, `${at}.livenessProbe`, livenessProbe);
  }
  if (readinessProbe) {
    checkProbe(errors, `${at}.readinessProbe`, readinessProbe);
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (grace !== undefined) {
      const field = `${at}.readinessProbe.terminationGracePeriodSeconds`;
      errors.push(invalid(field, grace, 'must not be set for readinessProbes'));
    }
  }
  if (startupProbe) {
    checkProbe(errors, `${at}.startupProbe`, startupProbe);
    checkSuccessIsOne(errors, `${at}.startupProbe`, startupProbe);
  }
}

function checkSuccessIsOne(errors: FieldError[], at: string, probe: t.Probe): void {
  if (probe.successThreshold !== 1) errors.push(invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1'));
}

function checkProbe(errors: FieldError[], at: string, probe: t.Probe): void {
  checkHandler(errors, at, probe, undefined);
  checkNonNegative(errors, `${at}.initialDelaySeconds`, probe.initialDelaySeconds);
  checkNonNegative(errors, `${at}.timeoutSeconds`, probe.timeoutSeconds);
  checkNonNegative(errors, `${at}.periodSeconds`, probe.periodSeconds);
  checkNonNegative(errors, `${at}.successThreshold`, probe.successThreshold);
  checkNonNegative(errors, `${at}.failureThreshold`, probe.failureThreshold);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(invalid(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
}

/** postStart and preStop. */
export function checkLifecycle(errors: FieldError[], at: string, lifecycle: t.Lifecycle | undefined, spec: t.PodSpec): void {
  if (!lifecycle) return;
  const { postStart, preStop } = lifecycle;
  if (postStart) checkHandler(errors, `${at}.postStart`, postStart, spec.terminationGracePeriodSeconds);
  if (preStop) checkHandler(errors, `${at}.preStop`, preStop, spec.terminationGracePeriodSeconds);
}

type Handler = t.Probe & t.LifecycleHandler;
const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

/** Exactly one way to probe or to hook. */
function checkHandler(errors: FieldError[], at: string, handler: Handler, graceSeconds: number | undefined): void {
  let first: string | undefined;
  for (const name of handlers) {
    if (!handler[name]) continue;
    if (first) errors.push(forbidden(`${at}.${name}`, 'may not specify more than 1 handler type'));
    else checkAction(errors, `${at}.${name}`, handler, graceSeconds);
    first ??= name;
  }
  if (!first) errors.push(required(at, 'must specify a handler type'));
}

function checkAction(errors: FieldError[], at: string, handler: Handler, graceSeconds: number | undefined): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) {
    if (!exec.command?.length) errors.push(required(`${at}.command`));
  } else if (httpGet) checkHttpGet(errors, at, httpGet);
  else if (tcpSocket) checkPortOrName(errors, `${at}.port`, tcpSocket.port);
  else if (grpc) checkPort(errors, `${at}.port`, grpc.port ?? 0);
  else if (sleep && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > atLeastOne(graceSeconds))) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${atLeastOne(graceSeconds)})`;
    errors.push(invalid(at, sleep.seconds, detail));
  }
}

/** A negative grace period is an old way to say 1 second. */
const atLeastOne = (seconds: number): number => (seconds < 0 ? 1 : seconds);

function checkHttpGet(errors: FieldError[], at: string, action: t.HTTPGetAction): void {
  if (!action.path) errors.push(required(`${at}.path`));
  checkPortOrName(errors, `${at}.port`, action.port);
  if (!schemes.includes(action.scheme ?? '')) errors.push(notSupported(`${at}.scheme`, action.scheme ?? '', schemes));
  for (const { name } of action.httpHeaders ?? []) {
    for (const problem of httpHeaderName(name ?? '')) errors.push(invalid(`${at}.httpHeaders`, name, problem));
  }
}
