import { lookup } from '../../../lib/lookup.ts';

/** The attributes of HTML's elements that are links (upstream: apimachinery, pkg/util/proxy/transport.go). */
const linkAttributes: Readonly<Record<string, readonly string[]>> = lookup({
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
});
/** Elements in which nothing is a tag but their own end. */
const rawElements: ReadonlySet<string> = new Set([
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
  'iframe',
  'noembed',
  'noframes',
]);

/** The page with every link put through `rewrite`; everything else is left as it is, byte for byte. Takes time in proportion to the page. */
export function rewriteLinks(html: string, rewrite: (link: string) => string): string {
  const parts: string[] = [];
  let copied = 0;
  const onLink = (start: number, end: number): void => {
    parts.push(html.slice(copied, start), rewrite(html.slice(start, end)));
    copied = end;
  };
  let at = html.indexOf('<');
  while (at >= 0) {
    const end = html.startsWith('<!--', at) ? after(html, '-->', at + 4) : endOfTag(html, at, onLink);
    if (end < 0) break;
    at = html.indexOf('<', end);
  }
  parts.push(html.slice(copied));
  return parts.join('');
}

const tagName = /<([a-z][^\s/>]*)/iy;
const gap = /[\s/]*/y;
const space = /\s*/y;
const attributeName = /[^\s/>][^\s/>=]*/y;
const bareValue = /[^\s>]*/y;

type OnLink = (start: number, end: number) => void;

/** Behind the tag that begins at `start`, or all of an element whose content is no markup; -1 when that never ends. */
function endOfTag(html: string, start: number, onLink: OnLink): number {
  const name = match(tagName, html, start)?.[1]?.toLowerCase();
  if (name === undefined) return start + 1;
  const links = linkAttributes[name] ?? [];
  let at = start + 1 + name.length;
  for (;;) {
    at += match(gap, html, at)![0].length;
    if (at >= html.length) return -1;
    if (html[at] === '>') break;
    at = endOfAttribute(html, at, (attribute, from, to) => {
      if (links.includes(attribute)) onLink(from, to);
    });
    if (at < 0) return -1;
  }
  return rawElements.has(name) ? endOfRaw(html, name, at + 1) : at + 1;
}

function endOfAttribute(html: string, start: number, onValue: (name: string, from: number, to: number) => void): number {
  const name = match(attributeName, html, start)![0];
  const behind = start + name.length;
  let at = behind + match(space, html, behind)![0].length;
  if (html[at] !== '=') return behind;
  at++;
  at += match(space, html, at)![0].length;
  const quote = html[at];
  if (quote !== '"' && quote !== "'") {
    const end = at + match(bareValue, html, at)![0].length;
    onValue(name.toLowerCase(), at, end);
    return end;
  }
  const end = html.indexOf(quote, at + 1);
  if (end < 0) return -1;
  onValue(name.toLowerCase(), at + 1, end);
  return end + 1;
}

/** Where the end tag begins. */
function endOfRaw(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}`, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? -1;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function after(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from);
  return found < 0 ? -1 : found + what.length;
}
