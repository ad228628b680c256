import type { NameRule } from '../kind.ts';

/** A rule for text: what is wrong with the value, in upstream's words; empty when nothing is. */
export type TextRule = (value: string) => readonly string[];

/** Texts and limits as in kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go and pkg/api/validate/content. */
const maxLabelLength = 63;
const maxSubdomainLength = 253;
const maxPortNameLength = 15;

const fine: readonly string[] = [];

const labelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const dns1035Format = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${qualifiedFormat})?`;
const configKeyFormat = '[-._a-zA-Z0-9]+';
const percentFormat = '[0-9]+%';
const headerFormat = '[-A-Za-z0-9]+';

const labelPattern = new RegExp(`^${labelFormat}$`);
const subdomainPattern = new RegExp(`^${subdomainFormat}$`);
const wildcardPattern = new RegExp(`^\\*\\.${subdomainFormat}$`);
const dns1035Pattern = new RegExp(`^${dns1035Format}$`);
const qualifiedPattern = new RegExp(`^${qualifiedFormat}$`);
const labelValuePattern = new RegExp(`^${labelValueFormat}$`);
const configKeyPattern = new RegExp(`^${configKeyFormat}$`);
const percentPattern = new RegExp(`^${percentFormat}$`);
const headerPattern = new RegExp(`^${headerFormat}$`);
const portNamePattern = /^[-a-z0-9]+$/;
const printableWithoutEquals = /^[\x20-\x3c\x3e-\x7e]*$/;
const dnsSearchPattern = /^[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?(\.[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?)*$/;

/** `msg (e.g. 'a',  or 'b', regex used for validation is '…')`: the double space is upstream's. */
function patternMessage(what: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${what} (regex used for validation is '${format}')`;
  return `${what} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${format}')`;
}

const labelMessage = patternMessage(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  labelFormat,
  'my-name',
  '123-abc',
);
const subdomainMessage = patternMessage(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomainFormat,
  'example.com',
);
const wildcardMessage = patternMessage(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${subdomainFormat}`,
  '*.example.com',
);
const dns1035Message = patternMessage(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  dns1035Format,
  'my-name',
  'abc-123',
);
const qualifiedMessage = patternMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedFormat,
  'MyName',
  'my.name',
  '123-abc',
);
const labelValueMessage = patternMessage(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValueFormat,
  'MyValue',
  'my_value',
  '12345',
);
const configKeyMessage = patternMessage(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  configKeyFormat,
  'key.name',
  'KEY_NAME',
  'key-name',
);
const percentMessage = patternMessage(
  "a valid percent string must be a numeric string followed by an ending '%'",
  percentFormat,
  '1%',
  '93%',
);
const headerMessage = patternMessage(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  headerFormat,
  'X-Header-Name',
);

const tooManyCharacters = (limit: number): string => `must be no more than ${limit} characters`;

export const dns1123Label: TextRule = (value) => {
  if (value.length <= maxLabelLength && labelPattern.test(value)) return fine;
  const problems = value.length > maxLabelLength ? [tooManyCharacters(maxLabelLength)] : [];
  if (!labelPattern.test(value)) problems.push(subdomainPattern.test(value) ? 'must not contain dots' : labelMessage);
  return problems;
};

export const dns1123Subdomain: TextRule = (value) => {
  if (value.length <= maxSubdomainLength && subdomainPattern.test(value)) return fine;
  const problems = value.length > maxSubdomainLength ? [tooManyCharacters(maxSubdomainLength)] : [];
  if (!subdomainPattern.test(value)) problems.push(subdomainMessage);
  return problems;
};

export const wildcardSubdomain: TextRule = (value) => {
  const problems = value.length > maxSubdomainLength ? [tooManyCharacters(maxSubdomainLength)] : [];
  if (!wildcardPattern.test(value)) problems.push(wildcardMessage);
  return problems;
};

export const dns1035Label: TextRule = (value) => {
  if (value.length <= maxLabelLength && dns1035Pattern.test(value)) return fine;
  const problems = value.length > maxLabelLength ? [tooManyCharacters(maxLabelLength)] : [];
  if (!dns1035Pattern.test(value)) problems.push(dns1035Message);
  return problems;
};

/** Names of RBAC objects and the like: anything that is one segment of a path. */
export const pathSegment: TextRule = (value) => {
  if (value === '.') return ["may not be '.'"];
  if (value === '..') return ["may not be '..'"];
  const problems: string[] = [];
  if (value.includes('/')) problems.push("may not contain '/'");
  if (value.includes('%')) problems.push("may not contain '%'");
  return problems;
};

/** Upstream counts bytes here. */
const prefixTooLong = `must be no more than ${maxSubdomainLength} bytes`;

/** Label and annotation keys, finalizers, resource names: an optional DNS prefix, `/`, a name. */
export const qualifiedName: TextRule = (value) => {
  const slash = value.indexOf('/');
  if (slash < 0) return namePart(value);
  if (value.indexOf('/', slash + 1) >= 0) {
    return [`a valid label key ${qualifiedMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const prefix = value.slice(0, slash);
  const prefixProblems = prefix === '' ? ['must be non-empty'] : dns1123Subdomain(prefix);
  const nameProblems = namePart(value.slice(slash + 1));
  if (prefixProblems.length === 0) return nameProblems;
  return [
    ...prefixProblems.map((p) => `prefix part ${p === tooManyCharacters(maxSubdomainLength) ? prefixTooLong : p}`),
    ...nameProblems,
  ];
};

function namePart(name: string): readonly string[] {
  if (name.length <= maxLabelLength && qualifiedPattern.test(name)) return fine;
  const problems: string[] = [];
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > maxLabelLength) problems.push(`name part must be no more than ${maxLabelLength} bytes`);
  if (!qualifiedPattern.test(name)) problems.push(`name part ${qualifiedMessage}`);
  return problems;
}

export const labelValue: TextRule = (value) => {
  if (value.length <= maxLabelLength && labelValuePattern.test(value)) return fine;
  const problems = value.length > maxLabelLength ? [`must be no more than ${maxLabelLength} bytes`] : [];
  if (!labelValuePattern.test(value)) problems.push(labelValueMessage);
  return problems;
};

/** Keys of ConfigMaps and Secrets: they become file names. */
export const configMapKey: TextRule = (value) => {
  const problems = value.length > maxSubdomainLength ? [tooManyCharacters(maxSubdomainLength)] : [];
  if (!configKeyPattern.test(value)) problems.push(configKeyMessage);
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems.length > 0 ? problems : fine;
};

export const envVarName: TextRule = (value) => {
  if (value === '') return ['environment variable name must be non-empty'];
  if (printableWithoutEquals.test(value)) return fine;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

export const portName: TextRule = (value) => {
  const problems: string[] = [];
  if (value.length > maxPortNameLength) problems.push(tooManyCharacters(maxPortNameLength));
  if (!portNamePattern.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
};

export const percent: TextRule = (value) => (percentPattern.test(value) ? fine : [percentMessage]);

export const httpHeaderName: TextRule = (value) => (headerPattern.test(value) ? fine : [headerMessage]);

/** A DNS search path; a trailing dot and underscores are allowed, `.` is the root. */
export const dnsSearch: TextRule = (value) => {
  if (value === '.') return fine;
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  const problems = name.length > maxSubdomainLength ? [tooManyCharacters(maxSubdomainLength)] : [];
  if (!dnsSearchPattern.test(name)) {
    problems.push(
      patternMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*',
        'example.com',
      ),
    );
  }
  return problems;
};

const rules: Readonly<Record<NameRule, TextRule>> = { dns1123Subdomain, dns1123Label, dns1035Label, pathSegment };

/** The rule of `Kind.nameRule`. */
export function nameRule(rule: NameRule): TextRule {
  return rules[rule];
}
