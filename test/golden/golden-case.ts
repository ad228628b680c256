/**
 * One request and what Kubernetes 1.36 answers. Cases run in order on one server: later ones see what earlier ones wrote. Values that
 * differ from run to run (uids, versions, times, allocated addresses) are left out of both sides before they are compared.
 */
export interface GoldenCase {
  readonly name: string;
  /** Method and URL. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body: a value sent as JSON, or the text itself. */
  readonly send?: unknown;
  readonly status: number;
  /** The Status of a refused request. */
  readonly fails?: {
    readonly reason?: string;
    readonly message: string;
    readonly details?: unknown;
  };
  /** The object that comes back. */
  readonly answers?: unknown;
  /** The events of a watch: type and name. */
  readonly events?: readonly string[];
  readonly text?: string;
  readonly warning?: string;
  /** Where the answer differs on purpose, and only its status is compared. */
  readonly deviates?: string;
}
