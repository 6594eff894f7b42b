import type { AddressInfo, Server as NetServer } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type ReadPacket, ServerTCP, type TcpSocket } from '@nestjs/microservices';
import { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { RequestContext } from '../common/request-context.js';
import { Drain } from '../discovery/drain.js';
import { EarlyShutdown } from '../discovery/early-shutdown.js';
import { LocalInstance } from '../discovery/local-instance.js';
import { Registrar } from '../discovery/registrar.js';
import { LateMessageError } from './messaging.errors.js';
import { MESSAGING_SETTINGS, type MessagingSettings } from './messaging.options.js';
import { carriedBy, isPacket } from './packet-context.js';

/** How often to look whether messages are still handled while leaving, in ms. */
const LOOK = 20;

/**
 * Nest's TCP server, which discovery tells others about: on a free port, with each handler inside of its caller's
 * request context; when the application closes, messages under way are answered first.
 *
 * @example
 * app.connectMicroservice({ strategy: app.get(DiscoverableTcpServer) });
 * await app.startAllMicroservices();
 * await app.listen(3001);
 */
@Injectable()
export class DiscoverableTcpServer extends ServerTCP {
  private handling = 0;
  private warned = false;

  constructor(
    @Inject(MESSAGING_SETTINGS) private readonly settings: MessagingSettings,
    private readonly context: RequestContext,
    private readonly local: LocalInstance,
    private readonly registrar: Registrar,
    private readonly http: HttpAdapterHost,
    private readonly drain: Drain,
    private readonly clock: Clock,
    early: EarlyShutdown,
  ) {
    const { host, port, maxMessage } = settings.server;
    // Nest would put 'localhost' for a host that is left out; one that is undefined is every address.
    super({ host, port, maxBufferSize: maxMessage });
    early.add(() => this.finish());
  }

  override listen(callback: (error?: unknown, ...rest: unknown[]) => void): void {
    super.listen((error, ...rest) => {
      if (!error) this.announce();
      callback(error, ...rest);
    });
  }

  override async handleMessage(socket: TcpSocket, rawMessage: unknown): Promise<unknown> {
    if (!isPacket(rawMessage)) return this.refuse(socket);
    this.handling += 1;
    try {
      const scope = this.context.open(carriedBy(rawMessage), 'consumer');
      if (this.context.isLate(scope)) return this.refuseLate(socket, rawMessage);
      const answer = await this.context.run(
        scope,
        () => super.handleMessage(socket, rawMessage) as unknown,
      );
      scope.span?.end({ name: `process ${this.normalizePattern(rawMessage.pattern as string)}` });
      return answer;
    } catch (error) {
      // Without a listener, as in early versions of Nest 11, a rejection here would end the process.
      this.handleError(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return undefined;
    } finally {
      this.handling -= 1;
    }
  }

  private announce(): void {
    const { port } = this.unwrap<NetServer>().address() as AddressInfo;
    this.local.announce({ ports: { tcp: port } });
    // Without an HTTP server nobody else knows when this application can be called.
    if (!this.http.httpAdapter) this.registrar.start(port);
  }

  /** Whoever gave up waiting would only be answered in vain. */
  private refuseLate(socket: TcpSocket, { id }: ReadPacket & { readonly id?: string }): void {
    if (id === undefined) return;
    const err = { status: 'error', message: new LateMessageError().message };
    const packet: unknown = this.serializer.serialize({ id, err, isDisposed: true });
    socket.sendMessage(packet);
  }

  private refuse(socket: TcpSocket): void {
    const { netSocket } = socket;
    if (!this.warned) {
      this.logger.warn(
        `${netSocket.remoteAddress} sent something that is no message of Nest; such connections are closed, and not mentioned again.`,
      );
    }
    this.warned = true;
    netSocket.destroy();
  }

  /** Once peers have heard that this instance leaves, waits for what they had sent before: as long as they do. */
  private async finish(): Promise<void> {
    await this.drain.run();
    const end = this.clock.now() + this.settings.timeout;
    while (this.handling > 0 && this.clock.now() < end) await this.clock.sleep(LOOK);
    if (this.handling === 0) return;
    this.logger.warn(
      `${this.handling} messages were not handled within ${formatDuration(this.settings.timeout)} of leaving; they are cut off.`,
    );
  }
}
