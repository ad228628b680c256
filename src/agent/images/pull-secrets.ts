import type { Secret } from '../../api/generated/types.ts';
import type { RegistryAuth } from '../../runtime/runtime.ts';
import { splitImage } from './image-name.ts';

interface DockerAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
}

/**
 * The credentials in these secrets that fit an image, the most specific first. Keys of `.dockerconfigjson` may name a registry, a path in
 * it, and use `*` for one part of the host. Rule: kubernetes.io/docs/concepts/containers/images/#config-json.
 */
export function credentialsFor(image: string, secrets: readonly Secret[]): RegistryAuth[] {
  const found: { key: string; auth: RegistryAuth }[] = [];
  for (const secret of secrets)
    for (const [key, auth] of Object.entries(authsOf(secret))) if (matches(key, image)) found.push({ key, auth: toAuth(auth) });
  return found.sort((a, b) => b.key.length - a.key.length).map((f) => f.auth);
}

function authsOf(secret: Secret): Record<string, DockerAuth> {
  const read = (field: string): unknown => {
    const base64 = secret.data?.[field];
    if (!base64) return undefined;
    try {
      return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    } catch {
      return undefined;
    }
  };
  if (secret.type === 'kubernetes.io/dockercfg') return (read('.dockercfg') as Record<string, DockerAuth> | undefined) ?? {};
  return (read('.dockerconfigjson') as { auths?: Record<string, DockerAuth> } | undefined)?.auths ?? {};
}

function matches(key: string, image: string): boolean {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/$/, '');
  const slash = bare.indexOf('/');
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? '' : bare.slice(slash + 1).replace(/^v[12]\/?/, '');
  const target = splitImage(image);
  const normal = host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
  const pattern = normal.split('.').map((part) => part.replace(/[^\w*:-]/g, '\\$&').replaceAll('*', '[^.]*'));
  if (!new RegExp(`^${pattern.join('\\.')}$`).test(target.host)) return false;
  return path === '' || target.path === path || target.path.startsWith(`${path}/`);
}

function toAuth({ username, password, auth, identitytoken }: DockerAuth): RegistryAuth {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(auth === undefined ? {} : { auth }),
    ...(identitytoken === undefined ? {} : { identityToken: identitytoken }),
  };
}
