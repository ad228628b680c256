import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand } from './expand.ts';

const values: Record<string, string> = { A: '1', B: 'two', EMPTY: '' };

for (const [name, text, expected] of [
  ['plain text', 'hello', 'hello'],
  ['a variable', 'x$(A)y', 'x1y'],
  ['two variables', '$(A)-$(B)', '1-two'],
  ['an empty variable', '[$(EMPTY)]', '[]'],
  ['an unknown variable stays', '$(NOPE)', '$(NOPE)'],
  ['escaped', '$$(A)', '$(A)'],
  ['escaped twice', '$$$$(A)', '$$(A)'],
  ['escaped, then expanded', '$$$(A)', '$1'],
  ['a lone dollar', 'a$b', 'a$b'],
  ['not closed', '$(A', '$(A'],
] as const)
  test(`expand: ${name}`, () =>
    assert.equal(
      expand(text, (n) => values[n]),
      expected,
    ));
