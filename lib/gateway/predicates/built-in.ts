import { cookie } from './cookie.predicate.js';
import { header } from './header.predicate.js';
import { query } from './query.predicate.js';
import { remoteAddress } from './remote-address.predicate.js';
import { after, before, between } from './time.predicate.js';
import { version } from './version.predicate.js';
import { weight } from './weight.predicate.js';

/** Every predicate that configuration can name. */
export const predicates = [
  after,
  before,
  between,
  cookie,
  header,
  query,
  remoteAddress,
  version,
  weight,
].map(({ definition }) => definition);
