import type { PolicyRule } from '../../../api/generated/types.ts';

/** Words that stand for several verbs. */
const verbSets: Readonly<Record<string, string>> = {
  read: 'get list watch',
  write: 'create update patch delete deletecollection',
  full: 'get list watch create update patch delete deletecollection',
};
/** Short names of API groups. */
const groupNames: Readonly<Record<string, string>> = {
  core: '',
  auth: 'authentication.k8s.io',
  authz: 'authorization.k8s.io',
  certs: 'certificates.k8s.io',
  coordination: 'coordination.k8s.io',
  discovery: 'discovery.k8s.io',
  events: 'events.k8s.io',
  networking: 'networking.k8s.io',
  node: 'node.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
  resource: 'resource.k8s.io',
  storage: 'storage.k8s.io',
};

/** `rule('read', 'core', 'pods services')`: words separated by spaces; sorted, as upstream sorts them. */
export function rule(verbs: string, groups: string, resources: string, names = ''): PolicyRule {
  return {
    verbs: sorted(verbs, verbSets),
    apiGroups: sorted(groups, groupNames),
    resources: sorted(resources),
    ...(names ? { resourceNames: sorted(names) } : {}),
  };
}

/** `urls('get', '/healthz /livez')` */
export function urls(verbs: string, paths: string): PolicyRule {
  return { verbs: sorted(verbs, verbSets), nonResourceURLs: sorted(paths) };
}

function sorted(words: string, meanings: Readonly<Record<string, string>> = {}): string[] {
  return words
    .split(' ')
    .flatMap((word) => {
      const meaning = Object.hasOwn(meanings, word) ? meanings[word]! : word;
      return meaning === '' ? [''] : meaning.split(' ');
    })
    .sort();
}

/** What everything that reports events needs. */
export const eventsRule = rule('create update patch', 'core events', 'events');
