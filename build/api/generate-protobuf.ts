/** `node build/api/generate-protobuf.ts`: writes the table of protobuf numbers and Go types. Needs a Debian mirror; the result is committed. */
import { writeFileSync } from 'node:fs';
import { goModels } from './go-packages.ts';
import { goSource } from './go-source.ts';
import { readModels } from './models.ts';
import { roots } from './roots.ts';
import { renderWireFacts } from './wire-facts.ts';

const source = goSource();
if ('unavailable' in source) {
  console.error(`the Go packages of Kubernetes cannot be had: ${source.unavailable}`);
  process.exit(1);
}
const models = readModels(roots.map(([, , model]) => model));
writeFileSync('src/api/generated/protobuf.ts', renderWireFacts(goModels(source.root, models)));
