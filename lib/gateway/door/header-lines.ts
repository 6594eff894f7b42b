/** The header lines of a request without those of some names, in small letters and with `-` for `_`. */
export function withoutLines(lines: string, names: ReadonlySet<string>): string {
  let kept = '';
  let start = 0;
  for (let end = lines.indexOf('\r\n'); end >= 0; end = lines.indexOf('\r\n', start)) {
    const colon = lines.indexOf(':', start);
    // Some servers read `X_User_Id` as `X-User-Id`.
    const name = lines.slice(start, colon).toLowerCase().replaceAll('_', '-');
    if (!names.has(name)) kept += lines.slice(start, end + 2);
    start = end + 2;
  }
  return kept;
}
