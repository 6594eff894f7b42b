import { gunzipSync, gzipSync } from 'node:zlib';
import { messageOf } from '../../common/errors.js';
import { ManifestError } from './manifest.errors.js';
import { DIGEST_KEY, digestOf, type SealedManifest } from './route-manifest.js';

const PART_KEY = 'rookery-m';

/** Consul takes values of at most 512 characters. */
const PART_LENGTH = 512;

/** Consul takes 64 pairs; the others are left to the registry's backend and to the user. */
const MOST_PARTS = 40;

/** The most a manifest's text can be, in bytes. */
export const MOST_MANIFEST_BYTES = 1 << 20;

/**
 * A manifest as instance metadata: the digest, and the text compressed in as many values as it needs.
 *
 * One that needs too many leaves only its digest; gateways then fetch the text from the instance itself.
 */
export function manifestToMetadata(sealed: SealedManifest): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = { [DIGEST_KEY]: sealed.digest };
  const packed = gzipSync(sealed.body, { level: 9 }).toString('base64url');
  const parts = Math.ceil(packed.length / PART_LENGTH);
  if (parts > MOST_PARTS) return metadata;
  for (let part = 0; part < parts; part++) {
    metadata[PART_KEY + part] = packed.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH);
  }
  return metadata;
}

/**
 * The text of a manifest out of instance metadata, or `undefined` when only its digest is there.
 *
 * @throws ManifestError when parts are missing, it inflates beyond 1 MiB, or the digest names another text
 */
export function manifestFromMetadata(
  service: string,
  metadata: Readonly<Record<string, string>>,
): string | undefined {
  let packed = '';
  for (let part = 0; part < MOST_PARTS && Object.hasOwn(metadata, PART_KEY + part); part++) {
    packed += String(metadata[PART_KEY + part]).slice(0, PART_LENGTH);
  }
  if (packed === '') return undefined;
  return checkDigest(service, metadata[DIGEST_KEY], inflate(service, packed));
}

/** The text of a manifest that was fetched; what does not hash to the digest is refused. */
export function checkDigest(service: string, digest: string | undefined, body: Buffer): string {
  if (body.length > MOST_MANIFEST_BYTES) throw new ManifestError(service, 'is larger than 1 MiB');
  if (digestOf(body) !== digest) throw new ManifestError(service, 'is not what its digest names');
  return body.toString('utf8');
}

function inflate(service: string, packed: string): Buffer {
  try {
    return gunzipSync(Buffer.from(packed, 'base64url'), { maxOutputLength: MOST_MANIFEST_BYTES });
  } catch (error) {
    throw new ManifestError(service, `cannot be unpacked: ${messageOf(error)}`, error);
  }
}
