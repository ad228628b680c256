/** The variables a command was started with; only src/main.ts reads them from the process. */
export type Environment = Readonly<Record<string, string | undefined>>;
