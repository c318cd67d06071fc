import { ClientBase } from 'pg';
import { CatalogFacts } from '../../cli/doctor/observations';
import { CatalogWitness } from '../../cli/doctor/world';
import { signInFacts } from '../../lambda/provisioner/sql/sign-in';

/** Asks as the provisioner does, over a connection that stays: without its function, for hundreds of sign-ins. */
export class ConnectedWitness implements CatalogWitness {
  constructor(private readonly client: Pick<ClientBase, 'query'>) {}

  async ask(username: string, database: string): Promise<CatalogFacts> {
    const { rows: [facts] } = await this.client.query<CatalogFacts>(signInFacts(username, database));
    return facts;
  }
}
