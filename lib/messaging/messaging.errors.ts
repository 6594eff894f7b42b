import { RookeryError } from '../common/errors.js';
import { UpstreamError } from '../upstream/upstream.errors.js';

/** The service is there, but none of its instances has said where it takes messages. */
export class NoTcpPortError extends UpstreamError {
  constructor(service: string, known: number) {
    super(
      `None of the ${known} instances of "${service}" takes messages. Give that service app.connectMicroservice({ strategy: app.get(DiscoverableTcpServer) }), and start it before app.listen().`,
      { code: 'ERR_NO_TCP_PORT', status: 503 },
      service,
    );
  }
}

/** The caller of a message had given up before the message came; its handler was not run. */
export class LateMessageError extends RookeryError {
  constructor() {
    super('The time that the caller waits was over before the message came.', {
      code: 'ERR_LATE_MESSAGE',
      status: 504,
    });
  }
}
