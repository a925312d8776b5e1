#!/usr/bin/env node
// `palm` in a checkout: runs what `npm run build` made. Plain JavaScript, because nothing may be built yet.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const isBuilt = existsSync(join(import.meta.dirname, '../../dist/cli/main.js'));
if (isBuilt) await import('../../dist/cli/main.js');
else {
  process.stderr.write('Palm is not built yet. Run `npm run build` in its folder once.\n');
  process.exitCode = 1;
}
