import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allEnums } from './enum-facts.ts';
import { goEnums } from './go-packages.ts';
import { goSource } from './go-source.ts';

const source = goSource();
const skip = 'unavailable' in source ? `the Go packages cannot be had: ${source.unavailable}` : false;

/** Its constants are those of another package, which the reader does not follow. */
const ofOthers = 'discovery/v1.AddressType';

describe('enumerations', { skip }, () => {
  it('are those of the Go declarations', () => {
    const written = allEnums();
    const declared = goEnums('root' in source ? source.root : '');
    assert.ok(declared.delete(ofOthers) && written.delete(ofOthers));
    assert.ok(declared.size > 60, `${declared.size}`);
    assert.deepEqual([...written].sort(), [...declared].sort());
  });
});
