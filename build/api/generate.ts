/** `npm run generate`: writes src/api/generated/{types,schema}.ts from the npm package and the committed facts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles, generatedFolder } from './generated-files.ts';

mkdirSync(generatedFolder, { recursive: true });
for (const [name, text] of Object.entries(generatedFiles())) writeFileSync(join(generatedFolder, name), text);
