import { runCommand } from './cli/run-command.ts';

void runCommand(process.argv0, process.argv.slice(2), process.env);
