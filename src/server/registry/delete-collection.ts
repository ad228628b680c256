import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Call } from './call.ts';
import { type DeleteRequest, deleteObject } from './delete.ts';
import { type ListPage, type ListRequest, listPage } from './list.ts';
import type { WriteDeps } from './write-deps.ts';

/** Deletions of one request that are on their way at the same time. */
const maxParallelDeletes = 16;

/** Deletes what a list finds; resolves with that list. Objects that vanish meanwhile are no problem. */
export async function deleteCollection<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  selection: ListRequest,
  request: DeleteRequest,
): Promise<ListPage> {
  const page = await listPage(deps, kind, selection);
  const waiting = [...page.entries];
  const worker = async (): Promise<void> => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const { namespace, name } = entry.index;
      try {
        await deleteObject(deps, call, kind, { namespace, name }, request);
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: maxParallelDeletes }, worker));
  return page;
}
