/** `npm run licences`: writes docs/licences.md. */
import { writeFileSync } from 'node:fs';
import { licencesDocument, licencesFile } from './licences.ts';

writeFileSync(licencesFile, licencesDocument());
