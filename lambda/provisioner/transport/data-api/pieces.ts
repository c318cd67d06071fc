/**
 * The rows of a query as one JSON text, cut into rows of text: the Data API knows some types only, and limits the size
 * of a row and of an answer. Of what is read from the catalogs, nothing is in JSON other than node-postgres gives it.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
export function inPieces(query: string): string {
  return `
  SELECT substr(whole.json, 1 + ${PIECE} * n, ${PIECE}) AS piece
  FROM (SELECT coalesce(json_agg(row), '[]')::text AS json FROM (${query}) row) whole CROSS JOIN LATERAL generate_series(0, (length(whole.json) - 1) / ${PIECE}) n
  ORDER BY n`;
}

/** Characters. Each has 4 bytes at most, and a row 64 KiB. */
const PIECE = 15_000;

/** An answer has 1 MiB at most. */
const PIECES_PER_PAGE = 16;

/** The first page of it. A query that does more than to read gives no second one. */
export function firstPage(query: string): string {
  return `${inPieces(query)} LIMIT ${PIECES_PER_PAGE}`;
}

/** Whether there may be more than this page. */
export function isFull(page: unknown[]): boolean {
  return page.length === PIECES_PER_PAGE;
}

/** All pages, of one and the same look at the catalogs. */
export const CURSOR = {
  open: (query: string) => `DECLARE answer NO SCROLL CURSOR FOR ${inPieces(query)}`,
  next: `FETCH ${PIECES_PER_PAGE} FROM answer`,
  close: 'CLOSE answer',
};
