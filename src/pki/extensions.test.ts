import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { children, der, derInteger, derOid, oidText, parseDer, Tag } from './der.ts';
import { ipBytes, ipText } from './extensions.ts';

test('IPv6 addresses are written as node writes them, and read back', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Buffer.from(Uint16Array.from(groups).buffer).swap16();
      const text = ipText(bytes);
      assert.deepEqual(ipBytes(text), bytes);
      const theirs = new SocketAddress({ family: 'ipv6', address: groups.map((g) => g.toString(16)).join(':') }).address;
      // Node writes addresses that embed IPv4 with dots; both are read alike.
      if (!theirs.includes('.')) assert.equal(text, theirs);
      assert.deepEqual(ipBytes(theirs), bytes);
    }),
  );
});

test('DER survives the round trip, whatever the length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (contents) => {
      const node = parseDer(der(Tag.sequence, ...contents.map((c) => der(Tag.octetString, c))));
      assert.deepEqual(
        children(node).map((child) => new Uint8Array(child.content)),
        contents.map((c) => new Uint8Array(c)),
      );
    }),
  );
  for (const size of [0, 127, 128, 255, 256, 65_535, 65_536])
    assert.equal(parseDer(der(Tag.octetString, Buffer.alloc(size))).content.length, size);
});

test('garbage is refused with an error, never with an endless loop or a read outside', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        children(parseDer(bytes));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 1000 },
  );
});

test('identifiers and integers', () => {
  for (const oid of ['1.2.840.10045.4.3.2', '2.5.29.17', '1.3.6.1.4.1.57683.2', '0.9.2342.19200300.100.1.25', '2.999.1'])
    assert.equal(oidText(parseDer(derOid(oid))), oid);
  assert.deepEqual([...derInteger(Buffer.from([0x80]))], [2, 2, 0, 0x80]);
  assert.deepEqual([...derInteger(Buffer.from([0, 0, 1]))], [2, 1, 1]);
});
