import type { MetricRegistry } from '../../lib/metrics.ts';
import type { Decision } from '../auth/authorizer.ts';

/** How often requests were known and allowed, under upstream's names. One series per answer: counting costs next to nothing. */
export interface AuthMetrics {
  readonly authenticated: Record<'success' | 'failure', { value: number }>;
  readonly authorized: Record<Decision['verdict'], { value: number }>;
}

export function createAuthMetrics(registry: MetricRegistry): AuthMetrics {
  const attempts = registry.counter('authentication_attempts', 'Requests by whether their credentials were good.', ['result']);
  const decisions = registry.counter('authorization_attempts_total', 'Requests by whether they were allowed.', ['result']);
  return {
    authenticated: { success: attempts.at(['success']), failure: attempts.at(['failure']) },
    authorized: { allow: decisions.at(['allowed']), deny: decisions.at(['denied']), noOpinion: decisions.at(['no-opinion']) },
  };
}
