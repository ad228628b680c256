import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unpackPackages } from '../debian.ts';

/** Debian's packages of the Go declarations and fixtures of Kubernetes 1.36. */
const goPackages = ['golang-k8s-api-dev', 'golang-k8s-apimachinery-dev', 'golang-k8s-apiextensions-apiserver-dev'];

export type GoSource = { readonly root: string } | { readonly unavailable: string };

/** Downloads and unpacks the packages once into `.cache/go`. Returns the folder `…/k8s.io`, or why it cannot be had. */
export function goSource(cache = '.cache/go'): GoSource {
  const root = resolve(cache, 'usr/share/gocode/src/k8s.io');
  if (existsSync(join(root, 'api')) && existsSync(join(root, 'apimachinery'))) return { root };
  try {
    const packages = Object.fromEntries(goPackages.map((name) => [name, '*']));
    unpackPackages({ suite: 'sid', arch: 'amd64', packages }, cache);
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
  return { root };
}
