import { checkDigest, MOST_MANIFEST_BYTES } from '../../discovery/manifest/manifest-metadata.js';
import { ManifestError } from '../../discovery/manifest/manifest.errors.js';
import { DIGEST_KEY, MANIFEST_PATH } from '../../discovery/manifest/route-manifest.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { Upstream } from '../../upstream/upstream.js';
import { UpstreamCall } from '../../upstream/upstream-call.js';
import type { UpstreamError } from '../../upstream/upstream.errors.js';

const TIMEOUT = 5_000;

/** Fetches a manifest that was too large for the registry, from an instance that has it. */
export function fetchManifest(
  upstream: Upstream,
  digest: string,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = new ManifestCall(upstream.name, digest, (error, body) => {
      signal.removeEventListener('abort', cancel);
      if (body === undefined) reject(error);
      else resolve(body);
    });
    const cancel = () => upstream.cancel(call);
    signal.addEventListener('abort', cancel, { once: true });
    upstream.dispatch(call);
  });
}

type Done = (error: Error | undefined, body?: string) => void;

class ManifestCall extends UpstreamCall {
  override readonly method = 'GET';
  override readonly hasBody = false;
  override readonly replayable = true;
  override readonly responseTimeout = TIMEOUT;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private status = 0;

  constructor(
    private readonly service: string,
    private readonly digest: string,
    private readonly done: Done,
  ) {
    super();
  }

  override accepts(endpoint: Endpoint): boolean {
    return endpoint.instance.metadata[DIGEST_KEY] === this.digest;
  }

  override head(endpoint: Endpoint): string {
    return `GET ${MANIFEST_PATH} HTTP/1.1\r\nhost: ${endpoint.authority}\r\naccept: application/json\r\n\r\n`;
  }

  override onHead(status: number): void {
    this.status = status;
  }

  override onBody(chunk: Buffer): boolean {
    this.size += chunk.length;
    // What is too large is read to its end and thrown away; the upstream's own deadline bounds how long that takes.
    if (this.size <= MOST_MANIFEST_BYTES) this.chunks.push(chunk);
    return true;
  }

  override onEnd(): void {
    try {
      if (this.status !== 200) throw new ManifestError(this.service, `was answered ${this.status}`);
      if (this.size > MOST_MANIFEST_BYTES)
        throw new ManifestError(this.service, 'is larger than 1 MiB');
      this.done(undefined, checkDigest(this.service, this.digest, Buffer.concat(this.chunks)));
    } catch (error) {
      this.done(error as Error);
    }
  }

  override onError(error: UpstreamError): void {
    this.done(error);
  }
}
