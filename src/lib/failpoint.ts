/** Set by the build: release bundles define it as false, and every call disappears from them. Undefined when running from source. */
declare const SKIFF_FAILPOINTS: boolean | undefined;

/** What tests have armed. The one piece of module state: a failpoint must be reachable from anywhere, and does not exist in a release. */
const armed = new Map<string, () => void>();

/** A named place where a robustness test may stop the process or throw. Does nothing unless armed. */
export function failpoint(name: string): void {
  if (typeof SKIFF_FAILPOINTS !== 'undefined' && !SKIFF_FAILPOINTS) return;
  armed.get(name)?.();
}

/** Runs `action` whenever the named place is passed. Returns the function that disarms it. */
export function armFailpoint(name: string, action: () => void): () => void {
  armed.set(name, action);
  return () => armed.delete(name);
}
