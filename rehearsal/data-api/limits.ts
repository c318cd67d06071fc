/**
 * What the Data API takes and gives. Tests make it less.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 * @see https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 * @see https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BeginTransaction.html
 */
export interface Limits {
  /** A statement is ended after so long. */
  readonly statementMs: number;
  /** A transaction is rolled back when nothing has called it for so long. */
  readonly idleMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly rowBytes: number;
}

export const LIMITS: Limits = {
  statementMs: 45_000,
  idleMs: 180_000,
  requestBytes: 4 * 1024 * 1024,
  responseBytes: 1024 * 1024,
  rowBytes: 64 * 1024,
};
