// `npm run screenshot`: pictures of every screen into screenshots/, and from these the README's and the
// manifest's.

import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const playwright = join(root, 'node_modules', '@playwright', 'test', 'cli.js');
const { status } = spawnSync(process.execPath, [playwright, 'test', 'screenshots'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PALM_PICTURES: '1' },
});
if (status !== 0) process.exit(status ?? 1);

copyFileSync(join(root, 'screenshots', 'laptop-light', 'pool.png'), join(root, 'docs', 'screenshot.png'));
for (const size of ['phone', 'laptop']) {
  const picture = join(root, 'screenshots', `${size}-light`, 'pool.png');
  copyFileSync(picture, join(root, 'public', `screenshot-${size}.png`));
}
