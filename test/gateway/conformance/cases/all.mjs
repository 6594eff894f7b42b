import { ANSWERS } from './answers.mjs';
import { CONVERSATIONS } from './conversations.mjs';
import { REQUEST_FRAMING } from './request-framing.mjs';
import { REQUEST_HEADERS } from './request-headers.mjs';
import { REQUEST_LINES } from './request-lines.mjs';
import { UPGRADES } from './upgrades.mjs';

/** Every table, by what it is about. */
export const TABLES = {
  'request lines': REQUEST_LINES,
  'request framing': REQUEST_FRAMING,
  'request headers': REQUEST_HEADERS,
  answers: ANSWERS,
  conversations: CONVERSATIONS,
  upgrades: UPGRADES,
};
