import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { RookeryError } from '../../common/errors.js';
import type { GatewayExchange } from './gateway-exchange.js';

/** The bytes of an answer that its service has compressed although it was asked not to; the header goes with it. */
export function plainBody(body: Buffer, { response }: GatewayExchange, most: number): Buffer {
  const encoding =
    response?.headers.getAll('content-encoding').join(',').trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return body;
  const limit = { maxOutputLength: most };
  response?.headers.remove('content-encoding');
  if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(body, limit);
  if (encoding === 'deflate') return inflateSync(body, limit);
  if (encoding === 'br') return brotliDecompressSync(body, limit);
  throw new RookeryError(`A body encoded as '${encoding}' cannot be read.`, {
    code: 'ERR_BODY_ENCODING',
    status: 502,
  });
}
