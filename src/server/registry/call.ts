import type { UserInfo } from '../auth/user.ts';

/** Who calls and what goes with the whole call, for HTTP and in-process callers alike. */
export interface Call {
  readonly user: UserInfo;
  /** The name under which changed fields are recorded in managedFields. */
  readonly fieldManager: string;
  /** Everything happens but the writing. */
  readonly dryRun: boolean;
  /** As `Exchange.pauses`. */
  pauses?(bytes?: number): (() => Promise<void>) | undefined;
  /** Adds a `Warning: 299` header to the answer. */
  warn(message: string): void;
}
