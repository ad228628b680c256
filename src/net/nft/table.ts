/**
 * The wanted contents of one nftables table, as data that can be compared. Chains hold rules in order, maps and sets hold elements without
 * order. Elements that the kernel adds by itself (`flags dynamic`) are not part of it.
 */
export interface Table {
  readonly family: 'ip' | 'ip6' | 'inet';
  readonly name: string;
  /** Name → declaration, e.g. `type ipv4_addr . inet_proto . inet_service : verdict;`. */
  readonly maps: ReadonlyMap<string, Collection>;
  readonly sets: ReadonlyMap<string, Collection>;
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Collection {
  readonly declaration: string;
  /** Key text → value text (empty for sets). */
  readonly elements: ReadonlyMap<string, string>;
}

export interface Chain {
  /** For base chains: `type nat hook prerouting priority dstnat; policy accept;`. */
  readonly hook?: string;
  readonly rules: readonly string[];
}

/** A script that makes the table from nothing, replacing what was there. */
export function renderTable(table: Table): string {
  const id = `${table.family} ${table.name}`;
  const lines = [`add table ${id}`, `delete table ${id}`, `table ${id} {`];
  // Chains first: elements of verdict maps name them, and a name must be declared before it is used.
  for (const [name, chain] of table.chains) lines.push(`  chain ${name} { ${chain.hook ?? ''} }`);
  for (const [kind, collections] of [['set', table.sets] as const, ['map', table.maps] as const]) {
    for (const [name, { declaration, elements }] of collections) {
      lines.push(`  ${kind} ${name} { ${declaration}${elements.size > 0 ? ` elements = { ${elementList(elements)} }` : ''} }`);
    }
  }
  lines.push('}');
  for (const [name, chain] of table.chains) for (const rule of chain.rules) lines.push(`add rule ${id} ${name} ${rule}`);
  return `${lines.join('\n')}\n`;
}

/**
 * A script that turns `previous` into `next`, or undefined when nothing changed; a whole new table when a declaration changed. New chains come before the elements that use them, old ones
 * go after the elements that used them.
 */
export function renderChanges(previous: Table, next: Table): string | undefined {
  const id = `${next.family} ${next.name}`;
  const lines: string[] = [];
  for (const [name, set] of next.sets) {
    const old = previous.sets.get(name);
    if (old && old.declaration !== set.declaration) return renderTable(next);
    if (!old) lines.push(`add set ${id} ${name} { ${set.declaration} }`);
  }
  // All new chains before any rule or element that could jump to one of them.
  for (const [name, chain] of next.chains) {
    if (!previous.chains.has(name)) lines.push(`add chain ${id} ${name}${chain.hook ? ` { ${chain.hook} }` : ''}`);
  }
  for (const [name, chain] of next.chains) {
    const old = previous.chains.get(name);
    if (old && sameRules(old, chain)) continue;
    if (old) lines.push(`flush chain ${id} ${name}`);
    for (const rule of chain.rules) lines.push(`add rule ${id} ${name} ${rule}`);
  }
  lines.push(...changedElements('sets', previous, next), ...changedElements('maps', previous, next));
  // Emptied before any is deleted: they may jump to each other.
  const gone = [...previous.chains.keys()].filter((name) => !next.chains.has(name));
  lines.push(...gone.map((name) => `flush chain ${id} ${name}`), ...gone.map((name) => `delete chain ${id} ${name}`));
  for (const name of previous.sets.keys()) if (!next.sets.has(name)) lines.push(`delete set ${id} ${name}`);
  return lines.length > 0 ? `${lines.join('\n')}\n` : undefined;
}

function changedElements(collections: 'sets' | 'maps', previous: Table, next: Table): string[] {
  const id = `${next.family} ${next.name}`;
  const lines: string[] = [];
  for (const [name, { elements }] of next[collections]) {
    const old = previous[collections].get(name)?.elements ?? new Map<string, string>();
    const gone = [...old].filter(([key, value]) => elements.get(key) !== value);
    const added = [...elements].filter(([key, value]) => old.get(key) !== value);
    if (gone.length > 0) lines.push(`delete element ${id} ${name} { ${elementList(new Map(gone))} }`);
    if (added.length > 0) lines.push(`add element ${id} ${name} { ${elementList(new Map(added))} }`);
  }
  return lines;
}

function sameRules(a: Chain, b: Chain): boolean {
  return a.rules.length === b.rules.length && a.rules.every((rule, i) => rule === b.rules[i]);
}

function elementList(elements: ReadonlyMap<string, string>): string {
  return [...elements].map(([key, value]) => (value ? `${key} : ${value}` : key)).join(', ');
}
