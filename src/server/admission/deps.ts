import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Authorization } from '../auth/authorization.ts';
import type { Reader } from '../registry/reader.ts';

/** What plugins may ask. */
export interface AdmissionDeps {
  readonly reader: Reader;
  readonly authorization: Authorization;
  readonly clock: Clock;
  /** Lower-case letters and digits for names of volumes. */
  readonly randomText: (length: number) => string;
  /** Acts as the server itself; charges quotas. */
  readonly client: Pick<Client, 'get' | 'update'>;
}
