import { randomUUID } from 'node:crypto';
import { createServer, Server } from 'node:https';
import { AddressInfo } from 'node:net';
import { CertificateAuthority } from '../gateway/certificate-authority';
import { bodyOf } from './aws-endpoint';

/** Where custom resources answer: the pre-signed URL of an object in Amazon S3, to which each answer is uploaded. */
export class ResponseEndpoint {
  static async listen(authority: CertificateAuthority, region: string): Promise<ResponseEndpoint> {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-endpoint-policies.html names the buckets.
    const host = `cloudformation-custom-resource-response-${region.replaceAll('-', '')}.s3.${region}.amazonaws.com`;
    const endpoint = new ResponseEndpoint(host, await authority.issue([host]));
    await new Promise<void>((resolve, reject) => endpoint.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  private readonly server: Server;
  private readonly expected = new Map<string, (body: string) => void>();

  private constructor(private readonly host: string, certificate: { cert: string; key: string }) {
    this.server = createServer(certificate, (request, response) => {
      void bodyOf(request).then((body) => {
        const answered = request.method === 'PUT' ? this.expected.get(request.url ?? '') : undefined;
        response.writeHead(answered ? 200 : 403).end();
        answered?.(body);
      });
    }).unref();
  }

  /** Port on 127.0.0.1 by `host:port`. */
  get network(): Record<string, number> {
    return { [`${this.host}:443`]: (this.server.address() as AddressInfo).port };
  }

  /** A URL for one answer, and the answer once it is there. Later ones are taken and ignored. */
  expect(stackId: string, now = new Date()): { url: string; answer: Promise<string> } {
    const date = now.toISOString().replace(/[:-]|\.\d+/g, '');
    const path = `/${encodeURIComponent(stackId)}%7C${randomUUID()}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=${date}&X-Amz-Expires=7199&X-Amz-Signature=${randomUUID()}`;
    return { url: `https://${this.host}${path}`, answer: new Promise(resolve => this.expected.set(path, resolve)) };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}

/** The endpoints of all Regions. */
export class ResponseEndpoints {
  private readonly byRegion = new Map<string, Promise<ResponseEndpoint>>();

  constructor(private readonly authority: CertificateAuthority, private readonly now: () => Date) {}

  /** A URL for one answer to a stack, and the answer once it is there. */
  async expect({
    id,
    region,
  }: {
    readonly id: string;
    readonly region: string;
  }): Promise<{ url: string; answer: Promise<string> }> {
    const endpoint = this.byRegion.get(region) ?? ResponseEndpoint.listen(this.authority, region);
    this.byRegion.set(region, endpoint);
    return (await endpoint).expect(id, this.now());
  }

  /** Ports on 127.0.0.1 by `host:port`. */
  async network(): Promise<Record<string, number>> {
    const endpoints = await Promise.all(this.byRegion.values());
    return Object.assign({}, ...endpoints.map(({ network }) => network)) as Record<string, number>;
  }

  async close(): Promise<void> {
    await Promise.all([...this.byRegion.values()].map(async endpoint => (await endpoint).close()));
  }
}
