/** A row as it comes; each query says what its columns are. */
export type Row = { readonly [column: string]: unknown };
