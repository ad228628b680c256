/** How deep objects and arrays of a body may be nested. No API type comes near; upstream gives up at 10,000. */
export const maxNesting = 1000;

/**
 * How many parts (words, marks, lines) the YAML of a body may have: up to 120 kB of a usual manifest, texts in it of any length. Reading YAML
 * costs 50 times as much as reading JSON, and nobody else is served meanwhile: 50,000 parts take up to 250 ms.
 */
export const maxYamlParts = 50_000;
