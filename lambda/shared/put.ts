import { request } from 'node:https';

/** Uploads to a pre-signed URL, which is signed without a type of content. @returns the status */
export function put(url: URL, body: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    request(url, { method: 'PUT', headers, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).once('error', reject).end(body);
  });
}
