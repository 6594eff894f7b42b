import { Inject, Injectable } from '@nestjs/common';
import { CipherError } from '../../common/cipher/cipher.errors.js';
import { ConfigCipher } from '../../common/cipher/config-cipher.js';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
  textReply,
} from '../config-endpoint.js';
import { readConfigQuery } from '../config-request.js';
import { CONFIG_SERVER_SETTINGS, type ConfigServerSettings } from '../config-server.options.js';
import { readBody } from '../request-body.js';

/** A longer text is no secret, in bytes. */
const MOST_BYTES = 64 * 1024;

/** `POST /encrypt`, `POST /decrypt`, `GET /encrypt/status`, `GET /key`, with the answers that Spring gives. */
@Injectable()
export class CipherEndpoint extends ConfigEndpoint {
  override readonly kinds = ['encrypt', 'decrypt', 'encrypt-status', 'key'] as const;
  private readonly cipher: ConfigCipher | undefined;

  constructor(@Inject(CONFIG_SERVER_SETTINGS) { encrypt }: ConfigServerSettings) {
    super();
    this.cipher = encrypt && new ConfigCipher(encrypt);
  }

  override async answer(call: ConfigCall): Promise<ConfigReply> {
    const { route, grant } = call;
    // An application and its profiles may be named, as with Spring; the keys here are the same for all.
    if (route.segments.length > 0) readConfigQuery(route.segments);
    grant.mustAdminister();
    const { cipher } = this;
    if (!cipher) return refusal(404, 'NO_KEY', 'No key was installed for encryption service');
    if (route.kind === 'encrypt-status') return jsonReply({ status: 'OK' });
    return route.kind === 'key' ? publicKey(cipher, call) : this.change(cipher, call);
  }

  private async change(cipher: ConfigCipher, { route, request }: ConfigCall): Promise<ConfigReply> {
    const encrypts = route.kind === 'encrypt';
    if (!encrypts && !cipher.canDecrypt) {
      return refusal(400, 'BAD_REQUEST', 'Server-side decryption is not supported');
    }
    const body = (await readBody(request, MOST_BYTES)).toString('utf8');
    const isText = /^text\/plain\b/i.test(request.headers['content-type'] ?? '');
    const text = isText ? body : unformed(body, !encrypts);
    try {
      return textReply(encrypts ? cipher.encrypt(text) : cipher.decrypt(text));
    } catch (error) {
      if (!(error instanceof CipherError)) throw error;
      return refusal(400, 'INVALID', encrypts ? error.message : 'Text not encrypted with this key');
    }
  }
}

function publicKey(cipher: ConfigCipher, { query }: ConfigCall): ConfigReply {
  const key = cipher.publicKey(query.get('key') ?? undefined);
  return key === undefined ? refusal(404, 'NOT_FOUND', 'No public key available') : textReply(key);
}

function refusal(status: number, code: string, description: string): ConfigReply {
  return jsonReply({ status: code, description }, status);
}

/** `curl -d` calls a text a form: it is encoded, and a `=` may have been put behind it. */
function unformed(body: string, isSecret: boolean): string {
  if (!body.endsWith('=')) return body;
  const text = decoded(body.replaceAll('+', isSecret ? '%2B' : ' '));
  if (!isSecret) return text.slice(0, -1);
  // Base64 comes in fours and hexadecimal digits have no "=": one that is too many was put there.
  const bare = text.replace(/^(?:\{[^{}]*\})+/, '');
  return bare.length % 4 === 1 || /^[0-9a-f]+=$/i.test(bare) ? text.slice(0, -1) : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
