import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import { versionInfo } from './version-info.ts';

/** What Prometheus expects of every process, under its usual names, and what was built. Read when somebody asks. */
export function addProcessMetrics(metrics: MetricRegistry, clock: Clock): void {
  const startedAtSeconds = Math.round(clock.now() / 1000 - process.uptime());
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  metrics.computed('process_cpu_seconds_total', 'CPU time used, in seconds.', cpuSeconds, 'counter');
  metrics.computed('process_resident_memory_bytes', 'Memory in RAM, in bytes.', () => process.memoryUsage.rss());
  metrics.computed('process_virtual_memory_bytes', 'Address space, in bytes.', virtualMemoryBytes);
  metrics.computed('process_start_time_seconds', 'Start of the process, in seconds since 1970.', () => startedAtSeconds);
  metrics.computed('process_open_fds', 'Open file descriptors.', () => readdirSync('/proc/self/fd').length);
  metrics.computed('process_max_fds', 'Limit of open file descriptors.', maxOpenFiles);
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } = versionInfo();
  metrics.collected({
    name: 'kubernetes_build_info',
    help: 'What was built; the value is always 1.',
    type: 'gauge',
    labels: ['major', 'minor', 'git_version', 'git_commit', 'git_tree_state', 'build_date', 'go_version', 'compiler', 'platform'],
    read: () => [[[major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform], 1]],
  });
}

const pageBytes = 4096;

function virtualMemoryBytes(): number {
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]) * pageBytes;
}

function maxOpenFiles(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  return Number(found?.[1] ?? 0);
}
