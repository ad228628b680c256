import { type Answer, type Exchange, textAnswer } from './exchange.ts';

/** One thing that must be well for the server to be. Returns what is wrong, or undefined. */
export interface HealthCheck {
  readonly name: string;
  /** Asked for `/readyz` only: not a reason to restart the server. */
  readonly readyOnly?: boolean;
  check(): string | undefined;
}

const endpoints: ReadonlySet<string> = new Set(['healthz', 'livez', 'readyz']);

/** `/healthz`, `/livez`, `/readyz`, with `?verbose`, `?exclude=` and one check as `/readyz/<name>` (apiserver: pkg/server/healthz). */
export function healthAnswer(exchange: Exchange, checks: readonly HealthCheck[]): Answer | undefined {
  const [endpoint = '', ...rest] = exchange.path.split('/').slice(1);
  if (!endpoints.has(endpoint)) return undefined;
  const asked = checks.filter((check) => endpoint === 'readyz' || !check.readyOnly);
  if (rest.length > 0 && rest[0] !== '') return oneCheck(asked, rest.join('/'));
  const excluded = new Set(exchange.query.getAll('exclude'));
  const lines: string[] = [];
  const failures: string[] = [];
  for (const check of asked) {
    const excluding = excluded.delete(check.name);
    const problem = excluding ? undefined : check.check();
    if (problem !== undefined) failures.push(check.name);
    lines.push(
      excluding
        ? `[+]${check.name} excluded: ok`
        : problem === undefined
          ? `[+]${check.name} ok`
          : `[-]${check.name} failed: ${problem}`,
    );
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failures.length > 0) return textAnswer(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  if (!exchange.query.has('verbose')) return textAnswer(200, 'ok');
  return textAnswer(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
}

function oneCheck(checks: readonly HealthCheck[], name: string): Answer | undefined {
  const check = checks.find((c) => c.name === name);
  if (!check) return undefined;
  const problem = check.check();
  return problem === undefined ? textAnswer(200, 'ok') : textAnswer(500, `internal server error: ${problem}\n`);
}
