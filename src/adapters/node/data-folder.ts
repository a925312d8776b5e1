// Where Palm keeps what belongs to this user of this machine.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the relay keeps its certificates, and the device its folder, unless told otherwise. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'palm');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'palm');
  const xdg = env['XDG_DATA_HOME']; // XDG Base Directory Specification: an empty value counts as absent
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.local', 'share') : xdg, 'palm');
}
