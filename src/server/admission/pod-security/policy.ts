import type { FieldError } from '../../../api/field-error.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level in the version of its standard; `minor` is Infinity for `latest`. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number;
}

/** What a namespace demands of its pods. */
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const prefix = 'pod-security.kubernetes.io/';
const strictness: Readonly<Record<Level, number>> = { privileged: 0, baseline: 1, restricted: 2 };
const latest = Number.POSITIVE_INFINITY;
const open: LevelVersion = { level: 'privileged', minor: latest };

/** `baseline:latest`, `restricted:v1.24` */
export const levelText = ({ level, minor }: LevelVersion): string => `${level}:${minor === latest ? 'latest' : `v1.${minor}`}`;

/** True when `a` lets fewer pods through than `b`. */
export const isStricter = (a: Level, b: Level): boolean => strictness[a] > strictness[b];

/**
 * Reads a namespace's labels. A label that cannot be read is reported and fails closed for `enforce` (restricted), open for the others.
 * Without a `warn` label people are warned about what is enforced.
 */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const problem = (label: string, why: string): void => {
    const message = `Invalid value: ${JSON.stringify(labels?.[label])}: ${why}`;
    errors.push({ reason: 'FieldValueInvalid', field: `metadata.labels[${label}]`, message });
  };
  const read = (
    mode: 'enforce' | 'audit' | 'warn',
  ): LevelVersion & { readonly given: boolean; readonly versionGiven: boolean } => {
    const level = labels?.[`${prefix}${mode}`];
    const version = labels?.[`${prefix}${mode}-version`];
    const isLevel = level !== undefined && Object.hasOwn(strictness, level);
    if (level !== undefined && !isLevel) problem(`${prefix}${mode}`, 'must be one of privileged, baseline, restricted');
    const minor = version === undefined ? latest : minorOf(version);
    if (minor === undefined) problem(`${prefix}${mode}-version`, 'must be "latest" or "v1.x"');
    const fallback: Level = level !== undefined && mode === 'enforce' ? 'restricted' : 'privileged';
    return {
      level: isLevel ? (level as Level) : fallback,
      minor: minor ?? latest,
      given: mode === 'enforce' ? isLevel : level !== undefined,
      versionGiven: version !== undefined,
    };
  };
  const enforce = read('enforce');
  const audit = read('audit');
  const warn = read('warn');
  const followEnforce = !warn.given && enforce.given && isStricter(enforce.level, warn.level);
  const warned = followEnforce ? { level: enforce.level, minor: warn.versionGiven ? warn.minor : enforce.minor } : warn;
  return { policy: { enforce: plain(enforce), audit: plain(audit), warn: plain(warned) }, errors };
}

const plain = ({ level, minor }: LevelVersion): LevelVersion =>
  level === 'privileged' && minor === latest ? open : { level, minor };

function minorOf(version: string): number | undefined {
  if (version === 'latest') return latest;
  const match = /^v1\.(0|[1-9]\d*)$/.exec(version);
  return match ? Number(match[1]) : undefined;
}
