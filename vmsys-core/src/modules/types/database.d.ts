declare module 'database' {
  type Parameter = string | number | bigint | boolean | null | Uint8Array;
  type Row = Record<string, any>;

  /** Opens a file of the worktree, or ":memory:". */
  function configure(path: string): void;
  function configure(driver: 'sqlite' | 'sqlite3', path: string): void;

  /** Runs one statement, and returns its rows. */
  function query<T = Row>(sql: string, ...params: Parameter[]): T[];
  function query<T = Row>(sql: string, params: Parameter[] | Record<string, Parameter>): T[];

  /** Runs one statement, or several without parameters, for what they change. */
  function exec(sql: string, ...params: Parameter[]): { changes: number; lastInsertRowid: number | bigint };
  function exec(
    sql: string,
    params: Parameter[] | Record<string, Parameter>,
  ): { changes: number; lastInsertRowid: number | bigint };

  /** Runs a function between BEGIN and COMMIT, or ROLLBACK when it throws; of an async one, the end is awaited. */
  function transaction<T>(body: () => T): T;

  function close(): void;
}

/** The module `database`. */
declare var db: typeof import('database');
