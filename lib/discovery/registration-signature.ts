import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { messageOf } from '../common/errors.js';
import { refuse } from '../common/option-readers.js';
import { DIGEST_KEY } from './manifest/route-manifest.js';
import type { ServiceInstance } from './service-instance.js';

/** A key whose signatures are believed. */
export interface TrustedKey {
  /** A secret of at least 32 characters (HMAC-SHA-256), or an Ed25519 public key as PEM. */
  readonly key: string;
  /** The services it may sign for. @default all */
  readonly services?: readonly string[];
}

/** Under this key of the metadata stands the signature. */
const SIGNATURE_KEY = 'rookery-sig';

/** What is signed: who it is, where callers are sent, and what routes it publishes. */
function textOf({ service, id, host, port, scheme, ports, metadata }: ServiceInstance): Buffer {
  const others = Object.entries(ports).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const digest = metadata[DIGEST_KEY] ?? '';
  return Buffer.from(JSON.stringify([1, service, id, scheme, host, port, others, digest]));
}

/** Signs what an instance says of itself. */
export class RegistrationSigner {
  private readonly key: KeyObject | string;

  /** @throws InvalidOptionsError when the key is too short, or no Ed25519 key */
  constructor(key: string, path = 'discovery.signing') {
    this.key = readKey(key, path, createPrivateKey);
  }

  /** The instance with its signature in its metadata. */
  sign(instance: ServiceInstance): ServiceInstance {
    const text = textOf(instance);
    const made =
      typeof this.key === 'string'
        ? createHmac('sha256', this.key).update(text).digest()
        : sign(null, text, this.key);
    const metadata = { ...instance.metadata, [SIGNATURE_KEY]: made.toString('base64url') };
    return { ...instance, metadata };
  }
}

/** Judges signatures; what was judged once is not judged again. */
export class TrustedSigners {
  private readonly keys: readonly {
    readonly key: KeyObject | string;
    readonly only: ReadonlySet<string> | undefined;
  }[];
  private known = new WeakMap<ServiceInstance, string | undefined>();

  constructor(trust: readonly TrustedKey[]) {
    this.keys = trust.map(({ key, services }, index) => ({
      key: readKey(key, `discovery.trust[${index}].key`, createPublicKey),
      only: services && new Set(services),
    }));
  }

  /** What is wrong with an instance's signature, or `undefined` when it is believed, or none is asked for. */
  problemOf(instance: ServiceInstance): string | undefined {
    if (this.keys.length === 0) return undefined;
    if (!this.known.has(instance)) this.known.set(instance, this.judge(instance));
    return this.known.get(instance);
  }

  private judge(instance: ServiceInstance): string | undefined {
    const given = instance.metadata[SIGNATURE_KEY];
    if (given === undefined) return 'it is not signed';
    const signature = Buffer.from(given, 'base64url');
    const text = textOf(instance);
    const believed = this.keys.some(
      ({ key, only }) => (only?.has(instance.service) ?? true) && isRight(key, text, signature),
    );
    return believed ? undefined : 'its signature is of no key that is trusted for this service';
  }
}

function isRight(key: KeyObject | string, text: Buffer, signature: Buffer): boolean {
  if (typeof key !== 'string') return signature.length === 64 && verify(null, text, key, signature);
  const expected = createHmac('sha256', key).update(text).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}

function readKey(
  given: string,
  path: string,
  read: (pem: string) => KeyObject,
): KeyObject | string {
  if (!given.includes('-----BEGIN')) {
    if (given.length >= 32) return given;
    refuse(path, 'is a secret of fewer than 32 characters', 'Make it longer, or give a PEM key.');
  }
  let key: KeyObject;
  try {
    key = read(given);
  } catch (error) {
    refuse(path, `cannot be read: ${messageOf(error)}`, 'Give an Ed25519 key as PEM.');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    refuse(path, `is a key of ${key.asymmetricKeyType ?? 'another kind'}`, 'Give an Ed25519 key.');
  }
  return key;
}
