// The program `palm`. Bundled to dist/cli/main.js.

import { runToEnd } from './ending.ts';
import { runProgram } from './program.ts';

/** package.json's version, inserted by the bundler. */
declare const PALM_VERSION: string;

await runToEnd(process.argv, (signal) => runProgram(process.argv, PALM_VERSION, signal));
