import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseYamlBody } from './parse-body.ts';

const encoder = new TextEncoder();
const parse = (text: string) => parseYamlBody(encoder.encode(text));

describe('JSON where YAML is allowed', () => {
  it('means the same as to a YAML parser', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify(value);
        // Text that begins with a line break is left to the YAML parser.
        assert.deepEqual(parse(text).value, parse(`\n${text}`).value);
      }),
    );
  });

  it('has its equal keys reported as those of YAML', () => {
    const { value, duplicates } = parse('{"data":{"a":"1",\n"a":"2"}}');
    assert.deepEqual(value, { data: { a: '2' } });
    assert.equal(duplicates, 'yaml: unmarshal errors:\n  line 2: key "a" already set in map');
  });

  it('has no merge key, as nothing quoted has', () => {
    const text = '{"data":{"<<":{"a":"1"}}}';
    assert.deepEqual(parse(text).value, JSON.parse(text));
    assert.deepEqual(parse(`\n${text}`).value, JSON.parse(text));
  });

  it('may be no JSON after all', () => {
    assert.deepEqual(parse('{data: {a: "1"}}').value, { data: { a: '1' } });
  });
});
