/**
 * Stands in for the event streams of the AWS SDK in the bundle (see scripts/bundle.ts): no operation of Secrets
 * Manager, RDS or the Data API has one, and the SDK loads them for those alone that do.
 */
export class EventStreamSerde {
  constructor() {
    throw new Error('the bundle has no event streams');
  }
}
export const eventStreamSerdeProvider = EventStreamSerde;
