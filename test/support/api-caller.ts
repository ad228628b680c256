import type { ApiServer } from '../../src/server/api-server.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
  // Tests look into answers of every shape.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly json: any;
}

export type Send = (request: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;

/** `send('POST /api/v1/…', body)`: makes a request in process and parses the answer. */
export function caller(server: ApiServer): Send {
  return async (request, body, headers = {}) => {
    const space = request.indexOf(' ');
    const answer = await server.inject({
      method: request.slice(0, space),
      url: request.slice(space + 1),
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { ...answer, json: answer.body.startsWith('{') && !answer.body.includes('\n{') ? JSON.parse(answer.body) : undefined };
  };
}

/** The events of a finished watch. */
export function eventsOf(answer: Answered): { type: string; name: string; version: number }[] {
  return answer.body
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ type, object }) => ({ type, name: object.metadata?.name ?? '', version: Number(object.metadata?.resourceVersion) }));
}

/** Headers of a JSON merge patch. */
export const mergePatch = { 'content-type': 'application/merge-patch+json' };
