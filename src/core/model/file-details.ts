// What people see of a file: under which name, where, and of which type.

export interface FileDetails {
  readonly name: string;
  /** Folder path without the name, '/'-separated; '' for none. */
  readonly path: string;
  readonly mime: string;
}
