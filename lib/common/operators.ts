import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';

/** What a proxy adds to a request that it passes on. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** IPv4 127.0.0.0/8, also as IPv6 writes it, and ::1. */
const LOOPBACK = /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/;

/** The same as a Host header names it, with or without a port. */
const LOOPBACK_HOST = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

const BEARER = /^Bearer +(\S+)$/i;

/**
 * Knows who may look behind the scenes: whoever brings the token, and, unless that is switched off, whoever calls from this
 * machine.
 *
 * A gateway on the same machine makes every stranger look local, so whoever came through a proxy is a stranger. So is a web
 * page in a local browser: one that calls by a name of its own (DNS rebinding) or from another origin.
 */
@Injectable()
export class Operators {
  private readonly digests: Buffer[] = [];
  private local = true;

  constructor() {
    const token = process.env['MANAGEMENT_TOKEN'];
    if (token) this.admit(token);
  }

  /** Lets in whoever brings this token as `Authorization: Bearer …`. */
  admit(token: string): void {
    this.digests.push(digestOf(token));
  }

  /** From now on callers on this machine need the token as well. */
  refuseLocal(): void {
    this.local = false;
  }

  /** Whether a request comes from an operator. */
  includes(request: IncomingMessage): boolean {
    const isLocal = this.local && LOOPBACK.test(request.socket.remoteAddress ?? '');
    // Probes come all the time: where nothing that they carry can count, their headers are not even sorted.
    if (!isLocal && this.digests.length === 0) return false;
    const { headers } = request;
    const token = BEARER.exec(headers.authorization ?? '')?.[1];
    if (token !== undefined && this.digests.length > 0) return this.knows(token);
    if (!isLocal) return false;
    if (PROXY_HEADERS.some((name) => name in headers)) return false;
    if (!LOOPBACK_HOST.test(headers.host ?? '')) return false;
    const { origin } = headers;
    return origin === undefined || origin.replace(/^https?:\/\//, '') === headers.host;
  }

  /** Whether a request may change something: with the token, where there is one; it takes more than to look. */
  mayChange(request: IncomingMessage): boolean {
    const { authorization = '' } = request.headers;
    return this.includes(request) && (this.digests.length === 0 || BEARER.test(authorization));
  }

  /** Compared as digests of one length, in a time that says nothing of where they differ. */
  private knows(token: string): boolean {
    const given = digestOf(token);
    return this.digests.some((digest) => timingSafeEqual(digest, given));
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
