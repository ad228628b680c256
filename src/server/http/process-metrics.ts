import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';

/** What Prometheus expects of every process, under its usual names. */
export function addProcessMetrics(metrics: MetricRegistry, clock: Clock): void {
  const startedAtSeconds = Math.round(clock.now() / 1000 - process.uptime());
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  metrics.computed('process_cpu_seconds_total', 'CPU time used, in seconds.', cpuSeconds);
  metrics.computed('process_resident_memory_bytes', 'Memory in RAM, in bytes.', () => process.memoryUsage.rss());
  metrics.computed('process_start_time_seconds', 'Start of the process, in seconds since 1970.', () => startedAtSeconds);
}
