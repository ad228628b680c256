import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { it } from 'node:test';

const folder = 'test/conformance';
/** A test's name as it stands in a source: the names of Kubernetes' tests contain quotes and backticks. */
const literal = /(?<quote>['"])(?<name>\[sig-[^\n]*? \[Conformance\])\k<quote>/g;

it('every name of names.txt has one test, and no test has a name that is not there', () => {
  const names = readFileSync(`${folder}/names.txt`, 'utf8').split('\n').filter(Boolean);
  const tests = globSync(`${folder}/*.test.ts`).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(literal)].map((match) => match.groups!['name']!),
  );
  assert.deepEqual(tests.toSorted(), names.toSorted());
  assert.equal(new Set(names).size, names.length);
});
