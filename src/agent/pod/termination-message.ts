import { open } from 'node:fs/promises';
import type { Container } from '../../api/generated/types.ts';
import { tailLines } from '../http/log-tail.ts';

/** Bytes of a termination message; upstream's limit. */
const maxMessageBytes = 4096;
const maxFallbackBytes = 2048;
const maxFallbackLines = 80;

/**
 * What a container left in its termination log; when that is empty, it failed and its policy asks for it, the end of its output.
 * Rule: kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure.
 */
export async function terminationMessage(options: {
  spec: Container | undefined;
  exitCode: number;
  messageFile: string;
  logFile: string;
}): Promise<string> {
  const own = await readStart(options.messageFile, maxMessageBytes);
  if (own !== '' || options.exitCode === 0 || options.spec?.terminationMessagePolicy !== 'FallbackToLogsOnError') return own;
  try {
    const text = await tailLines(options.logFile, maxFallbackLines);
    return text.slice(-maxFallbackBytes);
  } catch {
    return '';
  }
}

async function readStart(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}
