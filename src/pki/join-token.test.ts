import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearerOf, formatJoinToken, generateBootstrapToken, parseJoinToken, sameSecret } from './join-token.ts';

test('both forms of a join token survive the round trip', () => {
  const full = { caHash: 'ab'.repeat(32), id: 'server', secret: 'a.b:c' };
  assert.deepEqual(parseJoinToken(` ${formatJoinToken(full)}\n`), full);
  assert.equal(bearerOf(full), 'server.a.b:c');
  const short = generateBootstrapToken();
  assert.match(formatJoinToken(short), /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  assert.deepEqual(parseJoinToken(formatJoinToken(short)), short);
});

test('what is no join token is refused with a hint', () => {
  for (const text of [
    '',
    'K10abc::server:x',
    'SKIFF10ab::server:x',
    'abcdef.0123',
    `SKIFF10${'g'.repeat(64)}::a:b`,
    'ABCDEF.0123456789abcdef',
  ])
    assert.throws(() => parseJoinToken(text), /not a join token/, text);
});

test('secrets are compared by value', () => {
  assert.ok(sameSecret('abc', 'abc'));
  assert.ok(!sameSecret('abc', 'abcd'));
});
