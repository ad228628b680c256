export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Constant message + fields. error = someone must act, warn = degraded, info = life-cycle, debug = the rest. Never secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `component` to every line. */
  child(component: string): Logger;
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Writes one line per entry: `2026-01-01T00:00:00.000Z INFO component message key=value`. */
export function createLogger(options: {
  level: LogLevel;
  write: (line: string) => void;
  now?: () => number;
  component?: string;
}): Logger {
  const now = options.now ?? Date.now;
  const emit = (level: LogLevel, message: string, fields?: LogFields): void => {
    if (order[level] < order[options.level]) return;
    const parts = [new Date(now()).toISOString(), level.toUpperCase().padEnd(5), options.component ?? 'skiff', message];
    for (const [key, value] of Object.entries(fields ?? {})) {
      if (value !== undefined) parts.push(`${key}=${formatValue(value)}`);
    }
    options.write(`${parts.join(' ')}\n`);
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    child: (component) =>
      createLogger({ ...options, component: options.component ? `${options.component}/${component}` : component }),
  };
}

/** Discards everything; for tests. */
export const silentLogger: Logger = createLogger({ level: 'error', write: () => {} });

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(errorChain(value));
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w.:/@%+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** `message: cause: cause of the cause`. */
export function errorChain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorChain(error.cause)}`;
}
