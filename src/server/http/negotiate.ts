import { StatusError } from '../../api/status-error.ts';
import { lookup } from '../../lib/lookup.ts';

export type Format = 'json' | 'yaml' | 'protobuf';

/** How a client wants the answer. */
export interface Representation {
  readonly format: Format;
  /** Tables and bare metadata instead of the objects. */
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io the client asked for the table or metadata in. */
  readonly metaVersion: 'v1' | 'v1beta1';
}

const plainJson: Representation = { format: 'json', as: 'object', metaVersion: 'v1' };

const formats: Readonly<Record<string, Format>> = lookup({
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
});
const routed: ReadonlySet<string> = new Set(Object.keys(formats).filter((type) => type !== 'application/*'));
const shapes: ReadonlySet<string> = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/**
 * Picks the first acceptable type of an Accept header (apiserver: pkg/endpoints/handlers/negotiation/negotiate.go). Objects are kept as
 * JSON: they come as protobuf only where nothing else will do. Throws StatusError 406: upstream's router asks for one of its types, or any,
 * by its full name, and only then are shapes and versions looked at.
 * `allowShapes` is false where there is nothing to tabulate.
 */
export function negotiate(accept: string | undefined, allowShapes: boolean, streams = false): Representation {
  if (!accept || accept === 'application/json' || accept === '*/*') return plainJson;
  if (!accept.split(',').some((clause) => routed.has(clause.split(';', 1)[0]!.trim()))) throw notAcceptable(streams);
  let second: Representation | undefined;
  for (const clause of byQuality(accept)) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const format = formats[type];
    if (!format) continue;
    const options = Object.fromEntries(parameters.map((p) => p.split('=', 2) as [string, string]));
    const { as } = options;
    const chosen = as === undefined ? { ...plainJson, format } : shaped(format, as, options);
    if (!chosen) continue;
    if (chosen.as !== 'object' && !allowShapes) continue;
    if (format === 'protobuf' && chosen.as === 'object') second ??= chosen;
    else return chosen;
  }
  if (second) return second;
  throw onlyTypes();
}

/** Throws StatusError 406 to whoever wants the answer of a posted sub-resource as a table and as nothing else. */
export function requireNoTable(accept: string | undefined): void {
  try {
    negotiate(accept, false);
  } catch (error) {
    if (negotiate(accept, true).as === 'Table') throw error;
  }
}

/** Undefined for what there is not: other shapes and versions, tables in protobuf. */
function shaped(
  format: Format,
  as: string,
  { g: group, v: version }: Readonly<Record<string, string>>,
): Representation | undefined {
  if (!shapes.has(as) || (format === 'protobuf' && as === 'Table')) return undefined;
  if (group !== undefined && group !== 'meta.k8s.io') return undefined;
  if (version !== 'v1' && version !== 'v1beta1') return undefined;
  return { format, as: as as Representation['as'], metaVersion: version };
}

/** Clauses in the client's order, but for explicit quality values. */
function byQuality(accept: string): string[] {
  const clauses = accept.split(',').map((clause) => clause.trim());
  if (!accept.includes('q=')) return clauses;
  const quality = (clause: string): number => Number(/;\s*q=([\d.]+)/.exec(clause)?.[1] ?? 1);
  return clauses.sort((a, b) => quality(b) - quality(a));
}

/** Throws StatusError 406 unless a document of discovery can be answered as the client wants it, in upstream's words, which differ for the core group. */
export function requireDocumentType(accept: string | undefined, isCore: boolean): void {
  try {
    negotiate(accept, false);
  } catch {
    throw isCore && !accept?.includes('as=') ? notAcceptable(false) : onlyTypes();
  }
}

const types: readonly string[] = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
/** Those in which watches go out. */
const streamTypes: readonly string[] = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

/** `streams`: the path is one that can be watched. */
function notAcceptable(streams: boolean): StatusError {
  const available = streams ? [...types, ...streamTypes] : types;
  const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`;
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} });
}

const onlyTypes = (): StatusError => unacceptable(`only the following media types are accepted: ${types.join(', ')}`);

/** Only some formats can be cut into events (apiserver: pkg/endpoints/handlers/negotiation/errors.go). */
export const onlyStreamTypes = (): StatusError =>
  unacceptable(`only the following media types are accepted: ${streamTypes.join(', ')}`);

/** What is asked for cannot be made of what there is. */
export const unacceptable = (message: string): StatusError => new StatusError({ code: 406, reason: 'NotAcceptable', message });

/** People read what these clients show. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const parameter = query.get('pretty');
  if (parameter !== null) return parameter !== 'false' && parameter !== '0';
  return userAgent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
