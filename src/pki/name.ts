import { children, type DerNode, der, derOid, oidText, Tag } from './der.ts';
import { Oid } from './oids.ts';

/** The parts of a distinguished name Kubernetes gives a meaning to: the user and its groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** `O=…,O=…,CN=…` as a Name. */
export function encodeName(subject: Subject): Buffer {
  const attribute = (oid: string, value: string): Buffer =>
    der(Tag.set, der(Tag.sequence, derOid(oid), der(Tag.utf8String, Buffer.from(value))));
  const parts = subject.organizations.map((o) => attribute(Oid.organization, o));
  if (subject.commonName) parts.push(attribute(Oid.commonName, subject.commonName));
  return der(Tag.sequence, ...parts);
}

/** Reads CN and O out of a Name; `other` names attributes of other types that are there as well. */
export function decodeName(name: DerNode): Subject & { readonly other: readonly string[] } {
  let commonName = '';
  const organizations: string[] = [];
  const other: string[] = [];
  for (const attribute of children(name).flatMap((set) => children(set))) {
    const [type, value] = children(attribute);
    if (!type || !value) throw new Error('the name in the certificate is malformed');
    const oid = oidText(type);
    if (oid === Oid.commonName) commonName = value.content.toString('utf8');
    else if (oid === Oid.organization) organizations.push(value.content.toString('utf8'));
    else other.push(oid);
  }
  return { commonName, organizations, other };
}
