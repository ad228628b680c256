/** A long-lived part of the process. The supervisor starts components in list order and stops them in reverse. */
export interface Component {
  readonly name: string;
  /** Resolves when the component is ready to be used. */
  start(): Promise<void>;
  /** Resolves when nothing of the component runs any more. Never rejects for having been stopped twice. */
  stop(): Promise<void>;
}
