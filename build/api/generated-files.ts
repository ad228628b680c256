import { wireFacts } from '../../src/api/generated/protobuf.ts';
import { readModels } from './models.ts';
import { roots } from './roots.ts';
import { renderSchema } from './schema.ts';
import { renderTypes } from './types.ts';
import { parseWireFacts } from './wire-facts.ts';

export const generatedFolder = 'src/api/generated';

/** Everything `npm run generate` writes: file name in `generatedFolder` → text. */
export function generatedFiles(): Record<string, string> {
  const models = readModels(roots.map(([, , model]) => model));
  return { 'types.ts': renderTypes(models), 'schema.ts': renderSchema(models, parseWireFacts(wireFacts)) };
}
