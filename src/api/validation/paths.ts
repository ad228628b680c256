import type { FieldError } from '../field-error.ts';
import { invalid } from './errors.ts';

const hasBacksteps = (path: string): boolean => path.split('/').includes('..');

/** A path without `..`. */
export function checkNoBacksteps(errors: FieldError[], field: string, path: string): void {
  if (hasBacksteps(path)) errors.push(invalid(field, path, "must not contain '..'"));
}

/** A relative path that stays below where it starts. */
export function checkDescendingPath(errors: FieldError[], field: string, path: string): void {
  if (path.startsWith('/')) errors.push(invalid(field, path, 'must be a relative path'));
  checkNoBacksteps(errors, field, path);
}

/** A path of a file in a volume: names that start with `..` belong to the node agent. */
export function checkVolumeFilePath(errors: FieldError[], field: string, path: string): void {
  checkDescendingPath(errors, field, path);
  if (path.startsWith('..') && !path.startsWith('../') && path !== '..') {
    errors.push(invalid(field, path, "must not start with '..'"));
  }
}

/** A file mode: 0 to 0777. */
export function checkFileMode(errors: FieldError[], field: string, mode: number | undefined): void {
  if (mode === undefined || mode === null || (mode >= 0 && mode <= 0o777)) return;
  errors.push(invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
}
