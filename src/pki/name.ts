import { children, type DerNode, der, derOid, oidText, Tag } from './der.ts';
import { Oid } from './oids.ts';

/** A distinguished name. Kubernetes gives a meaning to CN, the user, and O, its groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** What else the name says, by the identifier of the attribute. */
  readonly others?: ReadonlyMap<string, readonly string[]>;
}

/** What a certificate may say of its subject, in the order in which Go writes it; attributes of other types are left out. */
const writtenTypes: readonly string[] = [
  Oid.country,
  Oid.organization,
  Oid.organizationalUnit,
  Oid.locality,
  Oid.province,
  Oid.streetAddress,
  Oid.postalCode,
  Oid.commonName,
  Oid.serialNumber,
];
/** Of which a name has only one: the last that was given. */
const singleTypes: ReadonlySet<string> = new Set([Oid.commonName, Oid.serialNumber]);

/** `C=…,O=…+O=…,CN=…` as a Name: one element for each type, with all its values. */
export function encodeName(subject: Subject): Buffer {
  return der(
    Tag.sequence,
    ...writtenTypes.flatMap((oid) => {
      const values = valuesOf(subject, oid).map((value) =>
        der(Tag.sequence, derOid(oid), der(Tag.utf8String, Buffer.from(value))),
      );
      return values.length > 0 ? [der(Tag.set, ...values.sort(Buffer.compare))] : [];
    }),
  );
}

/** True for a name without any part that `encodeName` writes. */
export const isEmptyName = (subject: Subject): boolean => writtenTypes.every((oid) => valuesOf(subject, oid).length === 0);

function valuesOf(subject: Subject, oid: string): readonly string[] {
  if (oid === Oid.organization) return subject.organizations;
  if (oid === Oid.commonName) return subject.commonName ? [subject.commonName] : [];
  const values = subject.others?.get(oid) ?? [];
  return singleTypes.has(oid) ? values.slice(-1) : values;
}

/** Reads a Name. */
export function decodeName(name: DerNode): Subject {
  let commonName = '';
  const organizations: string[] = [];
  const others = new Map<string, string[]>();
  for (const attribute of children(name).flatMap((set) => children(set))) {
    const [type, value] = children(attribute);
    if (!type || !value) throw new Error('the name in the certificate is malformed');
    const oid = oidText(type);
    const text = value.content.toString('utf8');
    if (oid === Oid.commonName) commonName = text;
    else if (oid === Oid.organization) organizations.push(text);
    else others.set(oid, [...(others.get(oid) ?? []), text]);
  }
  return { commonName, organizations, ...(others.size > 0 ? { others } : {}) };
}
