// What people see of a file: under which name, where, and of which type.

export interface FileDetails {
  readonly name: string;
  /** Folder path without the name, '/'-separated; '' for none. */
  readonly path: string;
  readonly mime: string;
}

export function areSameDetails(a: FileDetails | undefined, b: FileDetails | undefined): boolean {
  return a?.name === b?.name && a?.path === b?.path && a?.mime === b?.mime;
}
