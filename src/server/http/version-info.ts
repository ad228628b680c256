import { kubernetesVersion } from '../../lib/version.ts';

type VersionField =
  | 'major'
  | 'minor'
  | 'emulationMajor'
  | 'emulationMinor'
  | 'minCompatibilityMajor'
  | 'minCompatibilityMinor'
  | 'gitVersion'
  | 'gitCommit'
  | 'gitTreeState'
  | 'buildDate'
  | 'goVersion'
  | 'compiler'
  | 'platform';

/** The answer of `/version`. */
export function versionInfo(): Readonly<Record<VersionField, string>> {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(kubernetesVersion) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: kubernetesVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: `node ${process.version}`,
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
