/** Put in by the build; running from source has no version of its own. */
declare const SKIFF_VERSION: string;

/** The version of Skiff, e.g. `0.1.0` or `0.1.0+abc12345`. */
export const productVersion = typeof SKIFF_VERSION === 'undefined' ? '0.0.0+source' : SKIFF_VERSION;

/** The Kubernetes API that is served, as `kubectl version` and the node's kubeletVersion show it. Build metadata follows semver: one plus sign. */
export const kubernetesVersion = `v1.36.2+skiff.${productVersion.replace('+', '.')}`;
