/** The cases that undici 7 does otherwise, each with the reason; by their table and name. */
export const BEYOND_UNDICI: Readonly<Record<string, string>> = {
  'answers: none: HTTP/2.0': 'llhttp takes the version, and does not say which it was',
  'answers: none: a NUL in its reason': 'llhttp takes it; the reason is not passed on anyway',
  'answers: none: chunks in HTTP/1.0':
    'llhttp takes them, and does not say that the version is 1.0',
  'answers: whole: 100 before it': 'undici breaks the connection when 100 comes unasked',
  'answers: whole: 304 with a length': 'undici waits for the body that a 304 never has',
  'request headers: does not pass Connection: keep-alive': 'undici writes a Connection of its own',
};
