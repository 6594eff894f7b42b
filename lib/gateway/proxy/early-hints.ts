import type { ServerResponse } from 'node:http';

/** A `Link` as Node lets it into an interim answer; what is written otherwise could only harm. */
const LINK = /^<[^>]*>(?:\s*;\s*[^;"\s]+(?:=(")?[^;"\s]*\1)?)*$/;

/**
 * What of an interim answer is passed on (RFC 8297). Only links: by them clients fetch ahead, and other fields mean nothing
 * yet.
 */
export function earlyLinks(rawHeaders: readonly string[]): string[] {
  const links: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'link') continue;
    const each = rawHeaders[at + 1]?.split(/,\s*(?=<)/) ?? [];
    links.push(...each.filter((link) => LINK.test(link)));
  }
  return links;
}

/** Passes on what the upstream says of its coming answer. */
export function sendEarlyHints(response: ServerResponse, rawHeaders: readonly string[]): void {
  if (response.headersSent || response.destroyed || response.req.httpVersionMinor === 0) return;
  const links = earlyLinks(rawHeaders);
  if (links.length > 0) response.writeEarlyHints({ link: links });
}
