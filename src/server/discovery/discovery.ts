import { createHash } from 'node:crypto';
import { methodNotAllowed, resourceNotFound } from '../../api/status-error.ts';
import { type Answer, type Exchange, header } from '../http/exchange.ts';
import { requireDocumentType } from '../http/negotiate.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { KindTable } from '../registry/kind-table.ts';
import { aggregatedDiscovery, coreVersions, groupDocument, groupList, resourceList } from './discovery-documents.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Answers `/api`, `/apis` and below, down to group and version. Documents are made when asked for and kept until kinds change. */
export class Discovery {
  readonly #kinds: KindTable;
  readonly #serverAddress: () => string;
  readonly #aggregated = new Map<boolean, { bytes: Uint8Array; etag: string }>();

  constructor(deps: { kinds: KindTable; serverAddress: () => string }) {
    this.#kinds = deps.kinds;
    this.#serverAddress = deps.serverAddress;
    deps.kinds.onChange(() => this.#aggregated.clear());
  }

  /** Every path this answers. */
  paths(): string[] {
    const groups = this.#kinds.all.filter(({ group }) => group !== '');
    const below = groups.flatMap(({ group, version }) => [`/apis/${group}`, `/apis/${group}/${version}`]);
    return ['/api', '/api/v1', '/apis', '/apis/', ...new Set(below)];
  }

  /** Undefined when the path is none of discovery's. Throws StatusErrors 404 for versions nobody serves, 405 and 406. */
  handle(exchange: Exchange): Answer | undefined {
    const [root, group, version, ...rest] = exchange.path.split('/').slice(1).filter(Boolean);
    if (rest.length > 0 || (root !== 'api' && root !== 'apis')) return undefined;
    if (root === 'api' && version !== undefined) return undefined;
    if (group === undefined) return this.#root(exchange, root === 'api');
    const kinds = this.#kinds.all;
    if (root === 'api') return this.#document(exchange, resourceList(kinds, '', group));
    const groups = groupDocument(kinds, group);
    if (version === undefined || !groups) return groups && this.#document(exchange, groups);
    return this.#document(exchange, resourceList(kinds, group, version));
  }

  #root(exchange: Exchange, core: boolean): Answer {
    if (exchange.method !== 'GET') throw methodNotAllowed();
    const accept = header(exchange, 'accept');
    if (wantsAggregated(accept)) return this.#aggregatedAnswer(exchange, core);
    requireDocumentType(accept, core);
    return valueAnswer(exchange, 200, core ? coreVersions(this.#serverAddress()) : groupList(this.#kinds.all));
  }

  #document(exchange: Exchange, document: object | undefined): Answer {
    if (!document) throw resourceNotFound();
    if (exchange.method !== 'GET') throw methodNotAllowed();
    requireDocumentType(header(exchange, 'accept'), exchange.path.startsWith('/api/'));
    return valueAnswer(exchange, 200, document);
  }

  #aggregatedAnswer(exchange: Exchange, core: boolean): Answer {
    const { bytes, etag } = this.#aggregatedDocument(core);
    const headers = { vary: 'Accept', etag, 'cache-control': 'public' };
    if (header(exchange, 'if-none-match') === etag) return { status: 304, headers, parts: [] };
    return { status: 200, headers: { ...headers, 'content-type': aggregatedType }, parts: [bytes] };
  }

  #aggregatedDocument(core: boolean): { bytes: Uint8Array; etag: string } {
    let document = this.#aggregated.get(core);
    if (!document) {
      const bytes = Buffer.from(JSON.stringify(aggregatedDiscovery(this.#kinds.all, core)));
      document = { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
      this.#aggregated.set(core, document);
    }
    return document;
  }
}

/** The first clause we can answer decides. */
function wantsAggregated(accept: string | undefined): boolean {
  for (const clause of (accept ?? '').split(',')) {
    const parts = clause.split(';').map((part) => part.trim());
    if (parts.includes('as=APIGroupDiscoveryList')) {
      if (parts.includes('v=v2') && parts.includes('g=apidiscovery.k8s.io') && parts[0] === 'application/json') return true;
      continue;
    }
    if (parts[0] === 'application/json' || parts[0] === '*/*' || parts[0] === 'application/yaml') return false;
  }
  return false;
}
