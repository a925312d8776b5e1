// The parts of Node's SQLite (from 22.13 on; the types in use are those of 20) and of better-sqlite3 12 that
// Palm uses.

declare module 'node:sqlite' {
  export class DatabaseSync {
    constructor(path: string);
    exec(sql: string): void;
    prepare(sql: string): {
      run(...values: readonly (Uint8Array | number | string)[]): unknown;
      get(...values: readonly (Uint8Array | number | string)[]): unknown;
      all(...values: readonly (Uint8Array | number | string)[]): unknown[];
    };
    close(): void;
  }
}

declare module 'better-sqlite3' {
  export default class Database {
    constructor(path: string);
    exec(sql: string): this;
    prepare(sql: string): {
      run(...values: readonly (Uint8Array | number | string)[]): unknown;
      get(...values: readonly (Uint8Array | number | string)[]): unknown;
      all(...values: readonly (Uint8Array | number | string)[]): unknown[];
    };
    close(): this;
  }
}
