/** What is secret by its name, wherever it stands; tested against names in small letters without separators. */
const SECRET =
  /passw|pwd$|passphrase|secret|token|apikey|accesskey|privatekey|signingkey|encryptkey|authorization|cookie|credential|session|jwt/;

/** Groups of headers, and bodies: of these only what is on a list may be seen. */
const HEADERS: ReadonlySet<string> = new Set(['headers', 'rawheaders', 'trailers', 'metadata']);
const BODIES: ReadonlySet<string> = new Set(['body', 'payload', 'rawbody']);

/**
 * `https://user:password@host` (RFC 3986, 3.2.1); also where the password has a slash that was not encoded, unless what
 * stands before it is a port. Bounded, because texts may be long.
 */
const USERINFO =
  /(\b[a-z][a-z\d+.-]*:\/\/)(?:[^\s/?#@]{1,512}|[^\s/?#@:]{0,128}:(?!\d+[/?#])[^\s"'<>@]{1,256})@/gi;

/** `?token=…`, `password=…`, `"apiKey": "…"`; the value ends where a text would go on. */
const NAMED =
  /((?:passw(?:or)?d|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|credential|session(?:id)?|jwt|signature)["']?\s*[=:]\s*["']?)[^\s"'&,;)}\]]+/gi;

/** RFC 9110, 11.4, and RFC 6750. */
const SCHEMES = /\b(bearer|basic|digest)\s+[\w.~+/=-]{8,}/gi;

const HIDDEN = '[hidden]';

/** What may be read of what is logged: headers and fields of bodies by lists of what is allowed, and no secrets in texts. */
export class Redaction {
  private readonly headers: ReadonlySet<string>;
  private readonly bodyFields: ReadonlySet<string>;

  constructor(headers: readonly string[] = [], bodyFields: readonly string[] = []) {
    this.headers = new Set(headers.map((name) => name.toLowerCase()));
    this.bodyFields = new Set(bodyFields);
  }

  /** What is shown of a value under a key, or `undefined` when it may be shown like any other. */
  of(key: string, value: unknown): unknown {
    const name = key.toLowerCase();
    if (HEADERS.has(name)) return allowed(value, (field) => this.headers.has(field.toLowerCase()));
    if (BODIES.has(name)) return allowed(value, (field) => this.bodyFields.has(field));
    return isSecretName(name) ? HIDDEN : undefined;
  }
}

/** Whether the value of a name should be hidden wherever it is shown. */
function isSecretName(name: string): boolean {
  return SECRET.test(name.toLowerCase().replaceAll(/[^a-z\d]/g, ''));
}

/** A text without what looks like a secret in it: the user in a URL, the value behind `token=`, a bearer's token. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(USERINFO, `$1${HIDDEN}@`)
    .replaceAll(SCHEMES, `$1 ${HIDDEN}`)
    .replaceAll(NAMED, `$1${HIDDEN}`);
}

function allowed(value: unknown, isAllowed: (field: string) => boolean): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return HIDDEN;
  const shown = Object.entries(value).map(([field, said]) => {
    const plain = typeof said === 'object' ? HIDDEN : said;
    return [field, isAllowed(field) ? plain : HIDDEN] as const;
  });
  return Object.fromEntries(shown.slice(0, 100));
}
